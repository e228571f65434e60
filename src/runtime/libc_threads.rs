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

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering::Relaxed};

/// The word of libc's; null where it has none.
static WORD: AtomicPtr<AtomicU8> = AtomicPtr::new(std::ptr::null_mut());
/// Is libc no longer to believe anything but the truth?
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Modules with thread-local variables for which every thread has room. glibc leaves room for 14 more than there are.
const ROOM_FOR_MODULES: usize = 8;

/// What libc believed.
#[derive(Clone, Copy)]
pub struct Belief(u8);

fn word() -> Option<&'static AtomicU8> {
    // SAFETY: null, or a variable of libc's, which stays loaded; it is one byte.
    unsafe { WORD.load(Relaxed).as_ref() }
}

/// Looks for the word. To be called before anything else here, by a thread of the program.
pub fn look_up() {
    // SAFETY: the name is a string; what it leads to is looked at as what it is, a `char`.
    let word = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__libc_single_threaded".as_ptr()) };
    WORD.store(word.cast(), Relaxed);
}

/// What libc believes now.
pub fn belief() -> Belief {
    Belief(word().map_or(0, |word| word.load(Relaxed)))
}

/// Has libc believe again what it did before a thread of ours began, which keeps the promise from now on. No thread of the
/// program has begun since.
pub fn restore(before: Belief) {
    if let Some(word) = word() {
        if !IS_OVER.load(Relaxed) {
            word.store(before.0, Relaxed);
        }
    }
}

/// Runs what has to reach all threads, or to wait for the end of ours.
pub fn truly<R>(what: impl FnOnce() -> R) -> R {
    let before = belief();
    tell();
    let result = what();
    restore(before);
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
