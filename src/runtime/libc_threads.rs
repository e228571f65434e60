//! What libc believes: has the process one thread?
//!
//! As long as it has, glibc's allocator and its mutexes take no locks, system calls are no points of cancellation, and `fork`
//! has nothing to lock. The writer's thread would end that for a program that has no other, at up to a tenth of the time of
//! one that allocates much. So once the writer has begun, libc is told what it believed before: glibc publishes the word that
//! all of this depends on, `__libc_single_threaded` (since 2.32; its allocator goes by it since 2.36), and clears it itself in
//! `pthread_create`, so the program's own threads end it for good.
//!
//! The promise for that: after it has begun, the writer's thread calls nothing of libc that shares anything with another
//! thread. No allocator (its memory is `own_heap`, zstd's too, see `compressor`), no stdio, no mutex of libc's, no locale, no
//! dynamic linker (our object is bound when it is loaded). Who reaches other threads through libc is told of them for as
//! long as that takes, see [`truly`].
//!
//! One thing cannot be promised: newer glibc lets a thread that uses a thread-local variable note all modules with such that
//! have been loaded meanwhile, and takes memory from the allocator where they are more than it had left room for. Where they
//! might be, libc is told the truth for good, see [`met_module`].

use super::thread::ErrnoKept;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering::Relaxed};

/// The word of libc's; null where it has none.
static WORD: AtomicPtr<AtomicU8> = AtomicPtr::new(std::ptr::null_mut());
/// Is libc no longer to believe anything but the truth?
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Modules with thread-local variables for which every thread has room. glibc leaves room for 14 more than there are.
const ROOM_FOR_MODULES: usize = 8;

/// What libc believed, and with how many threads; `None`: that is not known.
#[derive(Clone, Copy)]
pub struct Belief(u8, Option<u64>);

fn word() -> Option<&'static AtomicU8> {
    // SAFETY: null, or a variable of libc's, which stays loaded; it is one byte.
    unsafe { WORD.load(Relaxed).as_ref() }
}

/// Looks for the word. To be called before anything else here, by a thread of the program.
///
/// It is libc's own that is wanted, not what its name leads to: an executable that refers to it (C++ does, for its shared
/// pointers) has a copy, which `pthread_create` clears only where it clears libc's.
pub fn look_up() {
    thread_exit::link();
    // SAFETY: the names are strings, and libc stays loaded; what is found is looked at as what it is, a `char`.
    unsafe {
        let libc = libc::dlopen(c"libc.so.6".as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        if !libc.is_null() {
            WORD.store(libc::dlsym(libc, c"__libc_single_threaded".as_ptr()).cast(), Relaxed);
            libc::dlclose(libc);
        }
    }
}

/// What libc believes now.
pub fn belief() -> Belief {
    let believed = word().map_or(0, |word| word.load(Relaxed));
    Belief(believed, if believed == 0 { None } else { threads() })
}

/// How many threads there are: the folder has the links of any folder, and one for each.
fn threads() -> Option<u64> {
    std::fs::metadata("/proc/self/task").ok().map(|tasks| std::os::unix::fs::MetadataExt::nlink(&tasks))
}

/// Has libc believe again what it did before, when there were `ours` threads less, which keep the promise from now on: unless
/// any other has begun since, as a constructor or who stands in for `pthread_create` may have one begin.
pub fn restore(before: Belief, ours: u64) {
    let Some(word) = word().filter(|_| before.0 != 0 && !IS_OVER.load(Relaxed)) else { return };
    if before.1.is_some_and(|then| threads().is_some_and(|now| now <= then + ours)) {
        word.store(before.0, Relaxed);
    }
}

/// Runs what has to reach all threads, or to wait for the end of ours, or may load many modules with thread-local variables.
pub fn truly<R>(what: impl FnOnce() -> R) -> R {
    let errno = ErrnoKept::new();
    let before = belief();
    tell();
    drop(errno);
    let result = what();
    let _errno = ErrnoKept::new();
    restore(before, 0);
    result
}

fn tell() {
    if let Some(word) = word() {
        word.store(0, Relaxed);
    }
}

/// A module has been loaded; `number` is the one it has among those with thread-local variables, 0 where it has none.
pub fn met_module(number: usize) {
    if number > ROOM_FOR_MODULES {
        IS_OVER.store(true, Relaxed);
        tell();
    }
}

/// What std calls to have something done at the end of a thread; libc's function of that name takes memory from the
/// allocator, and with the first memory that a thread takes there it gets an arena of its own: 64 MiB of addresses, which
/// stay behind in every forked child, for a `fork` of one thread does not look after arenas. So for the writer's thread there
/// is nothing done: it lives as long as the recording. The linker puts this in the place of libc's where perl's object is made
/// (`--wrap` in Makefile.PL), and nowhere else.
mod thread_exit {
    use crate::runtime::thread;
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

    type Register = unsafe extern "C" fn(unsafe extern "C" fn(*mut c_void), *mut c_void, *mut c_void) -> c_int;

    static REAL: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

    #[no_mangle]
    unsafe extern "C" fn __wrap___cxa_thread_atexit_impl(
        what: unsafe extern "C" fn(*mut c_void),
        with: *mut c_void,
        object: *mut c_void,
    ) -> c_int {
        if thread::is_writers() {
            return 0;
        }
        let mut real = REAL.load(Relaxed);
        // SAFETY: the name is a string, and ours has another, so what is found is libc's, of that type.
        unsafe {
            if real.is_null() {
                real = libc::dlsym(libc::RTLD_DEFAULT, c"__cxa_thread_atexit_impl".as_ptr());
                REAL.store(real, Relaxed);
            }
            if real.is_null() {
                return 0;
            }
            std::mem::transmute::<*mut c_void, Register>(real)(what, with, object)
        }
    }

    /// Has the linker take the function from where it is.
    pub fn link() {
        std::hint::black_box(__wrap___cxa_thread_atexit_impl as *const ());
    }
}
