//! The calls by which a process loads code, makes threads, becomes another program or ends without `exit`.

use super::credentials;
use super::slots::{patch_all, patch_if_idle, Hook};
use crate::format::records::Cause;
use crate::runtime::libc_threads::truly;
use crate::runtime::{lock, recording, session};
use libc::{c_char, c_int, c_void, pthread_attr_t, pthread_t};
use std::ffi::CStr;

extern "C" {
    fn pthread_create(
        thread: *mut pthread_t,
        attributes: *const pthread_attr_t,
        start: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
    fn dlmopen(namespace: libc::c_long, file: *const c_char, flags: c_int) -> *mut c_void;
    fn execvpe(file: *const c_char, argv: *const *const c_char, env: *const *const c_char) -> c_int;
    fn mprof_execl_hook();
    fn mprof_execlp_hook();
    fn mprof_execle_hook();
    fn mprof_dlsym_hook();
}

/// All hooks of this file.
pub const HOOKS: &[fn() -> Hook] = &[
    || Hook { name: c"dlopen", ours: our_dlopen as *const () as usize },
    || Hook { name: c"dlsym", ours: mprof_dlsym_hook as *const () as usize },
    || Hook { name: c"dlmopen", ours: our_dlmopen as *const () as usize },
    || Hook { name: c"pthread_create", ours: our_pthread_create as *const () as usize },
    || Hook { name: c"thrd_create", ours: our_thrd_create as *const () as usize },
    || Hook { name: c"execve", ours: our_execve as *const () as usize },
    || Hook { name: c"execv", ours: our_execv as *const () as usize },
    || Hook { name: c"execvp", ours: our_execvp as *const () as usize },
    || Hook { name: c"execvpe", ours: our_execvpe as *const () as usize },
    || Hook { name: c"fexecve", ours: our_fexecve as *const () as usize },
    || Hook { name: c"execl", ours: mprof_execl_hook as *const () as usize },
    || Hook { name: c"execlp", ours: mprof_execlp_hook as *const () as usize },
    || Hook { name: c"execle", ours: mprof_execle_hook as *const () as usize },
    || Hook { name: c"_exit", ours: our_quick_exit as *const () as usize },
    || Hook { name: c"_Exit", ours: our_quick_exit as *const () as usize },
    || Hook { name: c"abort", ours: our_abort as *const () as usize },
];

/// Does the function ask who called it? `dlopen` searches the caller's own RUNPATH.
pub fn depends_on_caller(name: &CStr) -> bool {
    name == c"dlopen" || name == c"dlmopen"
}

/// Loads something, and looks into it.
fn loading(load: impl FnOnce() -> *mut c_void) -> *mut c_void {
    truly(|| {
        let handle = load();
        recording::unobserved(patch_all);
        handle
    })
}

unsafe extern "C" fn our_dlopen(file: *const c_char, flags: c_int) -> *mut c_void {
    // SAFETY: passed on as it came.
    loading(|| unsafe { libc::dlopen(file, flags) })
}

unsafe extern "C" fn our_dlmopen(namespace: libc::c_long, file: *const c_char, flags: c_int) -> *mut c_void {
    // SAFETY: passed on as it came.
    loading(|| unsafe { dlmopen(namespace, file, flags) })
}

unsafe extern "C" fn our_pthread_create(
    thread: *mut pthread_t,
    attributes: *const pthread_attr_t,
    start: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> c_int {
    // Before the thread exists, so that it can never meet an unlocked recorder.
    lock::expect_threads();
    // SAFETY: passed on as it came.
    unsafe { pthread_create(thread, attributes, start, argument) }
}

/// Who calls a function by its address, found by its name, is to come by the hooks of `credentials`, too. Called by the
/// assembly below. Returns what is to be found, or 0: what `dlsym` finds, which depends on who calls it.
#[no_mangle]
extern "C" fn mprof_instead_of(handle: *mut c_void, name: *const c_char) -> usize {
    // What an object with a RUNPATH has loaded, past `our_dlopen`, is looked into next.
    recording::unobserved(patch_if_idle);
    if handle == libc::RTLD_NEXT || name.is_null() {
        return 0;
    }
    // SAFETY: the program has passed a string, and a handle that it has.
    unsafe { credentials::instead_of(CStr::from_ptr(name), || libc::dlsym(handle, name) as usize) }
}

/// As `pthread_create`, by the name that C has for it; older glibc has none, so it is looked up.
unsafe extern "C" fn our_thrd_create(
    thread: *mut c_void,
    start: extern "C" fn(*mut c_void) -> c_int,
    argument: *mut c_void,
) -> c_int {
    type Create = unsafe extern "C" fn(*mut c_void, extern "C" fn(*mut c_void) -> c_int, *mut c_void) -> c_int;
    const THRD_ERROR: c_int = 2;
    lock::expect_threads();
    // SAFETY: who calls it by that name has a libc that has it, of that type; our own slots are not rewritten.
    unsafe {
        let real = libc::dlsym(libc::RTLD_DEFAULT, c"thrd_create".as_ptr());
        if real.is_null() {
            return THRD_ERROR;
        }
        std::mem::transmute::<*mut c_void, Create>(real)(thread, start, argument)
    }
}

/// Writes all there is before the process becomes another program. Called by the assembly below as well.
#[no_mangle]
extern "C" fn mprof_before_exec() {
    session::before_exec();
}

unsafe extern "C" fn our_execve(path: *const c_char, argv: *const *const c_char, env: *const *const c_char) -> c_int {
    mprof_before_exec();
    // SAFETY: passed on as it came.
    unsafe { libc::execve(path, argv, env) }
}

unsafe extern "C" fn our_execv(path: *const c_char, argv: *const *const c_char) -> c_int {
    mprof_before_exec();
    // SAFETY: passed on as it came.
    unsafe { libc::execv(path, argv) }
}

unsafe extern "C" fn our_execvp(file: *const c_char, argv: *const *const c_char) -> c_int {
    mprof_before_exec();
    // SAFETY: passed on as it came.
    unsafe { libc::execvp(file, argv) }
}

unsafe extern "C" fn our_execvpe(file: *const c_char, argv: *const *const c_char, env: *const *const c_char) -> c_int {
    mprof_before_exec();
    // SAFETY: passed on as it came.
    unsafe { execvpe(file, argv, env) }
}

unsafe extern "C" fn our_fexecve(fd: c_int, argv: *const *const c_char, env: *const *const c_char) -> c_int {
    mprof_before_exec();
    // SAFETY: passed on as it came.
    unsafe { libc::fexecve(fd, argv, env) }
}

unsafe extern "C" fn our_quick_exit(status: c_int) -> ! {
    session::finish(Cause::QuickExit);
    // SAFETY: no precondition.
    unsafe { libc::_exit(status) }
}

unsafe extern "C" fn our_abort() -> ! {
    session::finish_aborted();
    // SAFETY: no precondition.
    unsafe { libc::abort() }
}

// The execl family takes a variable number of arguments, which cannot be passed on from Rust or C: save the argument
// registers, flush, put them back, and jump to the real function with the stack as the caller left it.
#[cfg(target_arch = "x86_64")]
macro_rules! flush_and_jump {
    ($hook:literal, $real:literal) => {
        std::arch::global_asm!(
            ".pushsection .text",
            concat!(".globl ", $hook),
            concat!(".hidden ", $hook),
            concat!(".type ", $hook, ", @function"),
            concat!($hook, ":"),
            "endbr64",
            "push rdi",
            "push rsi",
            "push rdx",
            "push rcx",
            "push r8",
            "push r9",
            "push rax",
            "call mprof_before_exec",
            "pop rax",
            "pop r9",
            "pop r8",
            "pop rcx",
            "pop rdx",
            "pop rsi",
            "pop rdi",
            concat!("jmp qword ptr [rip + ", $real, "@GOTPCREL]"),
            ".popsection",
        );
    };
}

#[cfg(target_arch = "aarch64")]
macro_rules! flush_and_jump {
    ($hook:literal, $real:literal) => {
        std::arch::global_asm!(
            ".pushsection .text",
            concat!(".globl ", $hook),
            concat!(".hidden ", $hook),
            concat!(".type ", $hook, ", %function"),
            concat!($hook, ":"),
            "stp x29, x30, [sp, #-80]!",
            "mov x29, sp",
            "stp x0, x1, [sp, #16]",
            "stp x2, x3, [sp, #32]",
            "stp x4, x5, [sp, #48]",
            "stp x6, x7, [sp, #64]",
            "bl mprof_before_exec",
            "ldp x6, x7, [sp, #64]",
            "ldp x4, x5, [sp, #48]",
            "ldp x2, x3, [sp, #32]",
            "ldp x0, x1, [sp, #16]",
            "ldp x29, x30, [sp], #80",
            concat!("adrp x16, :got:", $real),
            concat!("ldr x16, [x16, :got_lo12:", $real, "]"),
            "br x16",
            ".popsection",
        );
    };
}

flush_and_jump!("mprof_execl_hook", "execl");
flush_and_jump!("mprof_execlp_hook", "execlp");
flush_and_jump!("mprof_execle_hook", "execle");

// `dlsym` asks who called it as well, so all but those few names are passed on as above.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".pushsection .text",
    ".globl mprof_dlsym_hook",
    ".hidden mprof_dlsym_hook",
    ".type mprof_dlsym_hook, @function",
    "mprof_dlsym_hook:",
    "endbr64",
    "push rdi",
    "push rsi",
    "sub rsp, 8",
    "call mprof_instead_of",
    "add rsp, 8",
    "pop rsi",
    "pop rdi",
    "test rax, rax",
    "jnz 2f",
    "jmp qword ptr [rip + dlsym@GOTPCREL]",
    "2: ret",
    ".popsection",
);

#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".pushsection .text",
    ".globl mprof_dlsym_hook",
    ".hidden mprof_dlsym_hook",
    ".type mprof_dlsym_hook, %function",
    "mprof_dlsym_hook:",
    "stp x29, x30, [sp, #-32]!",
    "mov x29, sp",
    "stp x0, x1, [sp, #16]",
    "bl mprof_instead_of",
    "mov x16, x0",
    "ldp x0, x1, [sp, #16]",
    "ldp x29, x30, [sp], #32",
    "cbz x16, 2f",
    "mov x0, x16",
    "ret",
    "2: adrp x16, :got:dlsym",
    "ldr x16, [x16, :got_lo12:dlsym]",
    "br x16",
    ".popsection",
);
