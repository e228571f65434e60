//! The calls that change whose a process is. The kernel knows that of each thread, and libc has all threads make the call, if it
//! believes that there are others: the writer's thread must not keep what the program gave up.

use super::slots::Hook;
use crate::runtime::libc_threads::truly;
use libc::{c_char, c_int, gid_t, size_t, uid_t};

/// Hooks of this form: the name, what it takes.
macro_rules! hooks {
    ($($name:ident as $ours:ident ($($argument:ident: $type:ty),*);)*) => {
        /// All hooks of this file.
        pub const HOOKS: &[fn() -> Hook] = &[
            $(|| Hook { name: name_of(concat!(stringify!($name), "\0")), ours: $ours as *const () as usize },)*
        ];

        /// Our function in place of the one that `name` leads to where `found` is that; 0 where it is another.
        pub fn instead_of(name: &std::ffi::CStr, found: impl FnOnce() -> usize) -> usize {
            $(
                if name == name_of(concat!(stringify!($name), "\0")) {
                    return if found() == libc::$name as *const () as usize { $ours as *const () as usize } else { 0 };
                }
            )*
            0
        }
        $(
            unsafe extern "C" fn $ours($($argument: $type),*) -> c_int {
                // SAFETY: passed on as it came.
                truly(|| unsafe { libc::$name($($argument),*) })
            }
        )*
    };
}

/// The name, which ends with a zero.
const fn name_of(name: &'static str) -> &'static std::ffi::CStr {
    match std::ffi::CStr::from_bytes_until_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => c"",
    }
}

hooks! {
    setuid as our_setuid(uid: uid_t);
    seteuid as our_seteuid(uid: uid_t);
    setreuid as our_setreuid(real: uid_t, effective: uid_t);
    setresuid as our_setresuid(real: uid_t, effective: uid_t, saved: uid_t);
    setgid as our_setgid(gid: gid_t);
    setegid as our_setegid(gid: gid_t);
    setregid as our_setregid(real: gid_t, effective: gid_t);
    setresgid as our_setresgid(real: gid_t, effective: gid_t, saved: gid_t);
    setgroups as our_setgroups(count: size_t, groups: *const gid_t);
    initgroups as our_initgroups(user: *const c_char, group: gid_t);
}
