//! What the profiler has to say while the program runs: a line on standard error, and seldom one.

/// One line on standard error, past any buffer or handle of perl's.
pub fn complain(sentence: &str) {
    let line = format!("Devel::MProf: {sentence}\n");
    // SAFETY: the buffer is as long as said.
    unsafe { libc::write(2, line.as_ptr().cast(), line.len()) };
}
