//! The system's words for an error. std's come from libc's catalogue in the program's language, which takes locks and memory
//! that the writer's thread must not (see `libc_threads`).

use std::ffi::{c_char, c_int, CStr};
use std::io;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// `strerrordesc_np` (glibc since 2.32): the words in English, which are constants.
type Describe = unsafe extern "C" fn(c_int) -> *const c_char;

static DESCRIBE: AtomicPtr<std::ffi::c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Looks for libc's function. To be called by a thread of the program.
pub fn look_up() {
    // SAFETY: the name is a string.
    DESCRIBE.store(unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"strerrordesc_np".as_ptr()) }, Relaxed);
}

/// An error as a sentence shows it: as std does, but for the language.
pub fn of(error: &io::Error) -> String {
    let Some(number) = error.raw_os_error() else { return error.to_string() };
    let words = description(number).unwrap_or_else(|| error.kind().to_string());
    format!("{words} (os error {number})")
}

fn description(number: i32) -> Option<String> {
    let describe = DESCRIBE.load(Relaxed);
    if describe.is_null() {
        return None;
    }
    // SAFETY: found by the name of a function of that type; it returns null or a constant string.
    unsafe {
        let words = std::mem::transmute::<*mut std::ffi::c_void, Describe>(describe)(number);
        (!words.is_null()).then(|| CStr::from_ptr(words).to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_are_named_with_their_number() {
        let full = io::Error::from_raw_os_error(libc::ENOSPC);
        assert!(["no storage space (os error 28)", "No space left on device (os error 28)"].contains(&&*of(&full)));
        look_up();
        assert!(of(&full).ends_with(" (os error 28)"));
        assert!(of(&io::Error::from_raw_os_error(99_999)).ends_with("(os error 99999)"));
        assert_eq!(of(&io::Error::other("another file")), "another file");
    }
}
