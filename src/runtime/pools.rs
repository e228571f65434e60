//! perl's pools: the arenas it takes scalar heads and bodies from.
//!
//! A sub that happens to empty a pool makes perl allocate the next arena, but the arena is not that sub's memory. Such
//! a block can be told afterwards: it has become the newest arena of heads or of bodies.

use super::interp::Interp;
use crate::format::ids::PlaceId;
use std::ffi::c_void;

/// Sizes that perl asks for when a pool grows, in bytes: `PERL_ARENA_SIZE` (4080) less what does not fill a body, or what
/// a type's own arenas have, and perhaps a header (`PerlLayout::block_header_bytes`, at most 48). Anything in this range is
/// only suspected.
pub const ARENA_BYTES: std::ops::RangeInclusive<usize> = 2048..=4096 + 48;

/// A block of an arena's size.
#[derive(Clone, Copy)]
pub struct PoolSuspect {
    /// Its address.
    pub address: usize,
    /// Its usable bytes.
    pub bytes: u64,
    /// The place it was booked on.
    pub place: PlaceId,
    /// The newest peak's number before it was allocated.
    pub peak_before: u64,
}

/// Start of perl's `struct arena_set` (sv.c; the same in every perl from 5.10 on).
#[repr(C)]
struct ArenaSet {
    next: *const ArenaSet,
    set_size: u32,
    current: u32,
    arenas: [ArenaDescription; 0],
}

#[repr(C)]
struct ArenaDescription {
    arena: *const c_void,
    size: usize,
    body_type: u32,
}

/// Has the block at `address` become the newest arena, or the newest table of arenas? To be asked no later than when the
/// next block of an arena's size has been allocated.
pub fn is_pool(interp: &Interp, address: usize) -> bool {
    if interp.view.perl.is_null() {
        return false;
    }
    // As perl has it.
    let address = address + interp.layout.block_header_bytes;
    // SAFETY: addresses of the live interpreter's variables, and what is linked there is a table.
    unsafe {
        let (heads, bodies) = (*interp.layout.sv_arenaroot, *interp.layout.body_arenas);
        heads as usize == address || bodies as usize == address || is_listed_last(bodies.cast(), address)
    }
}

/// Is `address` the arena that was entered last? perl counts an entry before it allocates the arena, so while the next one
/// is being allocated, what was entered last is the last but one.
///
/// # Safety
/// `set` is one of perl's tables, or null.
unsafe fn is_listed_last(set: *const ArenaSet, address: usize) -> bool {
    if set.is_null() {
        return false;
    }
    // SAFETY: a table that is linked is complete, and `current` counts its filled entries.
    unsafe {
        let filled = (*set).current;
        if filled > (*set).set_size {
            return false;
        }
        let arenas = (&raw const (*set).arenas).cast::<ArenaDescription>();
        (filled.saturating_sub(2)..filled).any(|index| (*arenas.add(index as usize)).arena as usize == address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// perl's table with room for four.
    #[repr(C)]
    struct Table {
        head: ArenaSet,
        entries: [ArenaDescription; 4],
    }

    fn table(arenas: &[usize]) -> Table {
        let entry = |index: usize| ArenaDescription {
            arena: arenas.get(index).map_or(std::ptr::null(), |&arena| arena as *const c_void),
            size: 4080,
            body_type: 7,
        };
        Table {
            head: ArenaSet { next: std::ptr::null(), set_size: 4, current: arenas.len() as u32, arenas: [] },
            entries: std::array::from_fn(entry),
        }
    }

    fn is_last(arenas: &[usize], address: usize) -> bool {
        let table = table(arenas);
        // SAFETY: a whole table, of which as many entries are filled as it says.
        unsafe { is_listed_last((&raw const table).cast(), address) }
    }

    #[test]
    fn the_newest_arena_is_told_before_and_while_perl_allocates_the_next() {
        assert!(is_last(&[0x1000], 0x1000));
        assert!(is_last(&[0x1000, 0x2000, 0x3000], 0x3000));
        // The next one is counted, and its address not known yet.
        assert!(is_last(&[0x1000, 0x2000, 0], 0x2000));
        assert!(!is_last(&[0x1000, 0x2000, 0x3000, 0x4000], 0x2000));
        assert!(!is_last(&[], 0x1000));
        // SAFETY: null is allowed.
        assert!(!unsafe { is_listed_last(std::ptr::null(), 0x1000) });
    }
}
