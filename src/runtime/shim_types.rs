//! Plain data that the shim hands to the core: text and descriptions in perl's memory.

use std::ffi::c_char;

/// A piece of text that need not end with a zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MprofText {
    /// First byte; may be null when `length` is 0.
    pub start: *const c_char,
    /// Length, in bytes.
    pub length: usize,
}

impl MprofText {
    /// No text.
    pub const NONE: Self = Self { start: std::ptr::null(), length: 0 };

    /// # Safety
    /// `start` and `length` describe readable memory that stays as it is during the call.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.start.is_null() {
            return &[];
        }
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.length) }
    }
}

/// How the shim describes a sub.
#[repr(C)]
pub struct MprofSub {
    /// Written in C?
    pub is_xsub: bool,
    /// Package.
    pub package: MprofText,
    /// Name without the package.
    pub name: MprofText,
    /// File of its body.
    pub file: MprofText,
    /// First line of its body, 0 where unknown.
    pub line: u32,
}

/// A scalar's type.
#[repr(u8)]
#[derive(Clone, Copy)]
#[allow(missing_docs)] // as in `format::heap::ScalarKind`
pub enum MprofKind {
    Plain,
    Reference,
    Array,
    Hash,
    Stash,
    Code,
    Glob,
    Regexp,
    Io,
    Format,
    Lvalue,
    Object,
    Other,
}

/// A way in which one scalar refers to another.
#[repr(u8)]
#[derive(Clone, Copy)]
#[allow(missing_docs)] // as in `format::heap::EdgeKind`
pub enum MprofEdge {
    Referent,
    Weak,
    Element,
    Value,
    Variables,
    Outer,
    Slot,
    Class,
    NamedBy,
    Magic,
    Internal,
}

/// How the shim describes a scalar.
#[repr(C)]
pub struct MprofScalar {
    /// Its type.
    pub kind: MprofKind,
    /// Its reference count.
    pub references: u32,
    /// Bytes of head and body.
    pub body_bytes: u32,
    /// The package it is blessed into; no text for what is no object.
    pub blessed_into: MprofText,
    /// Of a sub: all. Of a glob and a package: `package` and `name`.
    pub sub: MprofSub,
}
