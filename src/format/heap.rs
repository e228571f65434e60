//! What a trace says of single scalars: the records of a heap sample, which a `full` snapshot carries. Since version 2.
//!
//! A sample tells of every live scalar how many there are of its type and class ([`Census`]), and lists those that were
//! born in a window of marks, away from the start and the end, at places that bear survivors again and again: what a
//! leak would keep. Of these it gives all references among them, and whatever else refers to them, up to something that
//! has a name. All of a sample counts once its snapshot has been read.
//!
//! Scalars have numbers in the sample, without gaps: the listed ones from 0 to [`HeapBegins::listed`] − 1, then their
//! holders.

use super::ids::{PlaceId, StrId};
use bincode::{Decode, Encode};

/// What births are counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub enum BirthUnit {
    /// Snapshots taken before the birth: in a program without marks.
    #[default]
    Snapshots,
    /// Marks made before the birth.
    Marks,
}

/// A sample begins.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct HeapBegins {
    /// Number of the snapshot that it is part of.
    pub snapshot: u64,
    /// What `from`, `to` and [`HeapScalar::born`] count.
    pub unit: BirthUnit,
    /// Listed scalars were born when at least so many marks (or snapshots) had been made,
    pub from: u64,
    /// and fewer than this.
    pub to: u64,
    /// Live scalars in the interpreter, all.
    pub scalars: u64,
    /// Live scalars born in the window, wherever.
    pub scalars_in_window: u64,
    /// How many of those are listed.
    pub listed: u32,
}

/// Type of a scalar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum ScalarKind {
    /// Undefined, a number or a string.
    #[default]
    Plain,
    /// A reference.
    Reference,
    /// An array; also the variables of a sub.
    Array,
    /// A hash.
    Hash,
    /// A package's symbol table.
    Stash,
    /// A sub.
    Code,
    /// A glob: `*Foo::bar`, a file handle.
    Glob,
    /// A compiled regular expression.
    Regexp,
    /// What is behind a file handle.
    Io,
    /// A format.
    Format,
    /// A substr, vec, pos or element that was taken as an lvalue.
    Lvalue,
    /// An object of perl's own classes (`feature 'class'`).
    Object,
    /// Anything else.
    Other,
    /// No scalar: the interpreter itself, or its stack of temporary values. `name` says what.
    Root,
}

/// A scalar.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct HeapScalar {
    /// Where it was born; `None` before the start, and for a root.
    pub birthplace: Option<PlaceId>,
    /// How many marks, or snapshots ([`HeapBegins::unit`]), had been made when it was born. Rounded down by less than
    /// one part in 1024 above 2047. 0 where that is not known.
    pub born: u64,
    /// Its type.
    pub kind: ScalarKind,
    /// The package it is blessed into; empty for what is no object.
    pub class: StrId,
    /// Of a glob, sub, package or root: its name, with the package.
    pub name: StrId,
    /// Its reference count.
    pub references: u32,
    /// Bytes of head and body, which come from perl's pools.
    pub body_bytes: u32,
    /// Usable bytes of the blocks it alone owns: text, the slots of an array or hash, keys. A text that several share
    /// counts for each with its part. Blocks older than the start, and keys, are estimated.
    pub buffer_bytes: u64,
    /// Where the largest of these blocks was allocated; `None` where that is not known.
    pub buffer_place: Option<PlaceId>,
    /// Of a sub: the names of its variables by [`HeapEdge::index`] in the array of variables. For a listed sub the
    /// captured ones only.
    pub variables: Vec<(u32, StrId)>,
}

/// Scalars in the order of their numbers, beginning with `first`.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct HeapScalars {
    /// Number of the snapshot that they are part of.
    pub snapshot: u64,
    /// Number of the first scalar.
    pub first: u32,
    /// The scalars.
    pub scalars: Vec<HeapScalar>,
}

/// What makes one scalar refer to another. Each but `Weak` counts in the other's [`HeapScalar::references`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EdgeKind {
    /// It is a reference to it.
    #[default]
    Referent,
    /// It is a weak reference to it.
    Weak,
    /// Element `index` of an array; variable `index` of a sub where the array is a sub's.
    Element,
    /// Value of `key` in a hash; symbol `key` of a package.
    Value,
    /// The array of a sub's variables, for recursion level `index`.
    Variables,
    /// The sub around a sub.
    Outer,
    /// What a glob has in slot `key`: `SCALAR`, `ARRAY`, `HASH`, `CODE`, `IO`, `FORMAT`.
    Slot,
    /// The package that an object is blessed into.
    Class,
    /// The glob that names a sub.
    NamedBy,
    /// Magic: `key` is perl's letter for it.
    Magic,
    /// Another reference inside of perl; `key` may say which.
    Internal,
}

impl EdgeKind {
    /// All of them, each at the index that stands for it in a trace.
    pub const ALL: [Self; 11] = [
        Self::Referent,
        Self::Weak,
        Self::Element,
        Self::Value,
        Self::Variables,
        Self::Outer,
        Self::Slot,
        Self::Class,
        Self::NamedBy,
        Self::Magic,
        Self::Internal,
    ];
}

/// A reference from one scalar of the sample to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapEdge {
    /// Number of the scalar that refers.
    pub from: u32,
    /// Number of the scalar that is referred to.
    pub to: u32,
    /// How.
    pub kind: EdgeKind,
    /// Which element, variable or level.
    pub index: u32,
    /// Which key, symbol or slot. Empty where there are too many different ones to tell.
    pub key: StrId,
}

/// References. Of a listed scalar all that lead to listed ones; of a holder all that lead to listed scalars, or to a
/// holder found before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeapEdges {
    /// Number of the snapshot that they are part of.
    pub snapshot: u64,
    /// The references.
    pub edges: Vec<HeapEdge>,
}

/// All live scalars of one type and class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct CensusGroup {
    /// The type.
    pub kind: ScalarKind,
    /// The package they are blessed into; empty for what is no object.
    pub class: StrId,
    /// How many.
    pub scalars: u64,
    /// Bytes of heads and bodies.
    pub body_bytes: u64,
    /// Bytes of their buffers, as in [`HeapScalar::buffer_bytes`], but as they were asked for: a little less than usable.
    pub buffer_bytes: u64,
    /// How many of them were born in the sample's window.
    pub scalars_in_window: u64,
    /// Bytes of those, body and buffers.
    pub bytes_in_window: u64,
}

/// The census; the sample ends with it.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Census {
    /// Number of the snapshot that it is part of.
    pub snapshot: u64,
    /// One group for each type and class; classes beyond the first 4096 are together in `(other)`.
    pub groups: Vec<CensusGroup>,
}
