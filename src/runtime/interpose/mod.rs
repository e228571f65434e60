//! Puts our functions between the program and its allocator, without a relaunch.
//!
//! A `malloc` defined in a library that was loaded late interposes nothing. But every call from one object to another
//! goes through a slot in the caller's global offset table, and those slots can be rewritten: in every loaded object
//! but this one (so that the profiler's own memory is not counted), the dynamic linker and the vdso.

mod allocator;
mod chunk;
mod credentials;
mod elf;
mod process;
mod slots;

pub use chunk::{is_glibc, prove as prove_allocator, usable_bytes, usable_bytes_plain, usable_bytes_told};
pub use slots::patch_all;
