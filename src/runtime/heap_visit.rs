//! What the shim tells of one scalar: its type and names, its buffers, what it refers to.
//!
//! The shim walks through the scalar and calls back for each reference to something sought. What is sought is in a set
//! of addresses; a filter in front of it, a bit for each hash, lets the shim pass by nearly all of the rest.

use super::block_table::BlockTable;
use super::shim_types::{MprofEdge, MprofKind};
use crate::format::heap::{EdgeKind, ScalarKind};
use crate::format::ids::PlaceId;
use rustc_hash::FxHashMap;
use std::ffi::c_void;

/// A head of a [`Visit`], which the shim looks at without a call.
#[repr(C)]
pub struct HeapVisit {
    /// A bit for each hash of an address that is sought; null where nothing is.
    pub filter: *const u64,
    /// 64 − log2 of the number of bits.
    pub shift: u32,
    /// Are names and single buffers to be told?
    pub detailed: bool,
    /// Where they are not: the bytes that were asked for all its buffers.
    pub asked_bytes: u64,
    /// A scalar that is told of a little later, so that its memory can be fetched meanwhile; null where that is not known.
    pub ahead: *const c_void,
}

/// A reference, as the shim told it.
pub struct Reference {
    /// Number of what is referred to.
    pub to: u32,
    /// How.
    pub kind: EdgeKind,
    /// Which element, variable or level.
    pub index: u32,
    /// Which key, symbol or slot.
    pub key: Vec<u8>,
}

/// What is told of a scalar.
#[repr(C)]
pub struct Visit {
    head: HeapVisit,
    bits: Vec<u64>,
    sought: FxHashMap<usize, u32>,
    /// References to what is sought.
    pub references: Vec<Reference>,
    /// Names of variables, by index.
    pub variables: Vec<(u32, Vec<u8>)>,
    /// Usable bytes of the buffers that were told one by one.
    buffer_bytes: u64,
    /// Where the largest buffer was allocated.
    pub buffer_place: Option<PlaceId>,
    largest: u64,
    blocks: *const BlockTable,
}

/// Longest key, or name of a variable, that is kept, in bytes.
const KEY_BYTES: usize = 100;

/// log2 of the bits of the filter: few of a hundred thousand addresses share one, and it stays in the cache.
const FILTER_BITS: u32 = 20;

impl Visit {
    /// Nothing is sought. `blocks`: where the buffers were allocated, if that is known; it must outlive the visit.
    pub fn new(blocks: Option<&BlockTable>) -> Self {
        Self {
            head: HeapVisit {
                filter: std::ptr::null(),
                shift: 64 - FILTER_BITS,
                detailed: false,
                asked_bytes: 0,
                ahead: std::ptr::null(),
            },
            bits: vec![0; 1 << (FILTER_BITS - 6)],
            sought: FxHashMap::default(),
            references: Vec::new(),
            variables: Vec::new(),
            buffer_bytes: 0,
            buffer_place: None,
            largest: 0,
            blocks: blocks.map_or(std::ptr::null(), |blocks| blocks),
        }
    }

    /// References to the scalar at `address` are told from now on, as to number `number`.
    pub fn seek(&mut self, address: usize, number: u32) {
        let (word, bit) = self.bit(address);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
        self.sought.insert(address, number);
    }

    /// The bit of an address: its word, and where it is in that.
    fn bit(&self, address: usize) -> (usize, u64) {
        // Fibonacci hashing (Knuth, The Art of Computer Programming 6.4); the shim has the same line.
        let bit = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.head.shift;
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    /// Bytes of its buffers: usable ones where it was told in detail, else those asked for.
    pub fn buffer_bytes(&self) -> u64 {
        self.buffer_bytes + self.head.asked_bytes
    }

    /// The number of the scalar at `address`, if it is sought.
    pub fn number(&self, address: usize) -> Option<u32> {
        let (word, bit) = self.bit(address);
        if self.bits.get(word)? & bit == 0 {
            return None;
        }
        self.sought.get(&address).copied()
    }

    /// Which scalar is told of a little later than those from now on; null where that is not known.
    pub fn look_ahead(&mut self, ahead: *const c_void) {
        self.head.ahead = ahead;
    }

    /// For the shim: forgets the scalar told last.
    pub fn begin(&mut self, detailed: bool) -> *mut HeapVisit {
        self.references.clear();
        self.variables.clear();
        (self.buffer_bytes, self.largest, self.buffer_place) = (0, 0, None);
        self.head.filter = if self.sought.is_empty() { std::ptr::null() } else { self.bits.as_ptr() };
        self.head.detailed = detailed;
        self.head.asked_bytes = 0;
        std::ptr::from_mut(self).cast()
    }

    /// It refers to `target`.
    pub fn refers(&mut self, target: usize, kind: EdgeKind, index: u32, key: &[u8]) {
        if let Some(to) = self.number(target) {
            let key = if key.len() <= KEY_BYTES { key.to_vec() } else { Vec::new() };
            self.references.push(Reference { to, kind, index, key });
        }
    }

    /// It owns the block at `address`, or one part in `owners`; `bytes` of it where nobody knows better.
    pub fn owns(&mut self, address: usize, bytes: u64, owners: u64) {
        // SAFETY: `new`'s contract.
        let block = unsafe { self.blocks.as_ref() }.and_then(|blocks| blocks.get(address));
        let bytes = block.map_or(bytes, |block| block.bytes) / owners.max(1);
        self.buffer_bytes += bytes;
        if let Some(block) = block.filter(|_| bytes > self.largest) {
            self.largest = bytes;
            self.buffer_place = Some(block.place);
        }
    }

    /// A variable of the sub.
    pub fn variable(&mut self, index: u32, name: &[u8]) {
        if name.len() <= KEY_BYTES {
            self.variables.push((index, name.to_vec()));
        }
    }
}

/// The shim's view of a visit as ours.
///
/// # Safety
/// `visit` is what [`Visit::begin`] returned, and that visit still goes on: nobody else uses it meanwhile.
pub unsafe fn visit_of<'a>(visit: *mut HeapVisit) -> Option<&'a mut Visit> {
    // SAFETY: the caller's promise; the head is the first field of a `repr(C)` struct.
    unsafe { visit.cast::<Visit>().as_mut() }
}

impl From<MprofKind> for ScalarKind {
    fn from(kind: MprofKind) -> Self {
        match kind {
            MprofKind::Plain => ScalarKind::Plain,
            MprofKind::Reference => ScalarKind::Reference,
            MprofKind::Array => ScalarKind::Array,
            MprofKind::Hash => ScalarKind::Hash,
            MprofKind::Stash => ScalarKind::Stash,
            MprofKind::Code => ScalarKind::Code,
            MprofKind::Glob => ScalarKind::Glob,
            MprofKind::Regexp => ScalarKind::Regexp,
            MprofKind::Io => ScalarKind::Io,
            MprofKind::Format => ScalarKind::Format,
            MprofKind::Lvalue => ScalarKind::Lvalue,
            MprofKind::Object => ScalarKind::Object,
            MprofKind::Other => ScalarKind::Other,
        }
    }
}

impl From<MprofEdge> for EdgeKind {
    fn from(edge: MprofEdge) -> Self {
        match edge {
            MprofEdge::Referent => EdgeKind::Referent,
            MprofEdge::Weak => EdgeKind::Weak,
            MprofEdge::Element => EdgeKind::Element,
            MprofEdge::Value => EdgeKind::Value,
            MprofEdge::Variables => EdgeKind::Variables,
            MprofEdge::Outer => EdgeKind::Outer,
            MprofEdge::Slot => EdgeKind::Slot,
            MprofEdge::Class => EdgeKind::Class,
            MprofEdge::NamedBy => EdgeKind::NamedBy,
            MprofEdge::Magic => EdgeKind::Magic,
            MprofEdge::Internal => EdgeKind::Internal,
        }
    }
}
