//! perl's pools: the arenas it takes scalar heads and bodies from.
//!
//! A sub that happens to empty a pool makes perl allocate the next arena, but the arena is not that sub's memory. Such
//! a block can be told afterwards: it has become the newest arena of heads or of bodies.

use super::interp::Interp;
use crate::format::ids::PlaceId;
use std::ffi::c_void;

/// Sizes that perl asks for when a pool grows, in bytes: `PERL_ARENA_SIZE` (4080) less what does not fill a body, or what
/// a type's own arenas have. Anything in this range is only suspected.
pub const ARENA_BYTES: std::ops::RangeInclusive<usize> = 2048..=4096;

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

/// Has the block at `address` become the newest arena, or the newest table of arenas?
pub fn is_pool(interp: &Interp, address: usize) -> bool {
    if interp.view.perl.is_null() {
        return false;
    }
    // SAFETY: addresses of the live interpreter's variables.
    let (heads, bodies) = unsafe { (*interp.layout.sv_arenaroot, *interp.layout.body_arenas) };
    if heads as usize == address || bodies as usize == address {
        return true;
    }
    let set = bodies.cast::<ArenaSet>();
    if set.is_null() {
        return false;
    }
    // SAFETY: a set that is linked is complete, and `current` counts its filled entries.
    unsafe {
        let filled = (*set).current;
        if filled == 0 || filled > (*set).set_size {
            return false;
        }
        let arenas = (&raw const (*set).arenas).cast::<ArenaDescription>();
        (*arenas.add(filled as usize - 1)).arena as usize == address
    }
}
