//! What the profiler has to say while the program runs: a line on standard error, and seldom one.

use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

/// A word that the process shares with its forked children: has the end of a recording been announced?
static ANNOUNCED: AtomicPtr<AtomicBool> = AtomicPtr::new(std::ptr::null_mut());

/// One line on standard error, past any buffer or handle of perl's.
pub fn complain(sentence: &str) {
    let line = format!("Devel::MProf: {}\n", harmless(sentence));
    // SAFETY: the buffer is as long as said.
    unsafe { libc::write(2, line.as_ptr().cast(), line.len()) };
}

/// A sentence in one line, and in characters that do nothing to a terminal: names in it are whatever they are.
pub fn harmless(sentence: &str) -> String {
    let spell = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    sentence.chars().map(spell).collect()
}

/// Recording stops: says so, unless this process or one that shares the word has. What stops one of many children mostly
/// stops all of them.
pub fn announce_end(sentence: &str) {
    // SAFETY: null, or a word that stays mapped to the end of the process.
    let announced = unsafe { ANNOUNCED.load(Relaxed).as_ref() };
    if !announced.is_some_and(|announced| announced.swap(true, Relaxed)) {
        complain(sentence);
    }
}

/// Children that are forked from now on share the word. Where there is no memory for that, each speaks for itself.
pub fn share_with_children() {
    if !ANNOUNCED.load(Relaxed).is_null() {
        return;
    }
    // SAFETY: a new mapping, all zero, which is a valid `AtomicBool`.
    let page = unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        libc::mmap(std::ptr::null_mut(), 1, protection, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1, 0)
    };
    if page != libc::MAP_FAILED {
        ANNOUNCED.store(page.cast(), Relaxed);
    }
}
