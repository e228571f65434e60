//! What the profiler keeps for each thread of the process, and the one word of thread-local storage that leads to it.
//!
//! The word is read in every hook, so it uses the initial-exec model (two instructions, no call to `__tls_get_addr`);
//! stable Rust cannot say so, hence the assembly. The shim declares the same symbol as a C thread-local.

use super::interp::InterpView;
use super::{lock, own_heap, running};
use crate::format::ids::{NodeId, PlaceId};
use crate::format::records::ThreadFigures;
use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{compiler_fence, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// What the shim may look at without a call: the head of a [`Thread`].
#[repr(C)]
pub struct ThreadView {
    /// The interpreter whose code ran here last; null before any did.
    pub interp: Cell<*mut InterpView>,
}

/// Where a thread that is the profiler's own has entered: above any other address.
const FOR_GOOD: usize = usize::MAX;

/// A thread, or several that have come one after the other.
#[repr(C)]
pub struct Thread {
    /// Head, shared with the shim.
    pub view: ThreadView,
    /// Inside the profiler: whatever the allocator is asked for now is not the program's. An address on the thread's stack,
    /// where it entered; 0 outside. Only the thread itself changes it.
    entered_at: AtomicUsize,
    /// The kernel's id of it, or of the first.
    pub tid: u32,
    /// Does it run Perl code?
    pub runs_perl: Cell<bool>,
    counters: Counters,
    /// Its figures as last written.
    pub written: Cell<ThreadFigures>,
    /// Where its figures go as long as it runs no Perl code.
    pub root: Cell<Option<(NodeId, PlaceId)>>,
    /// Where its figures go once it has taken an interpreter down.
    pub perl_root: Cell<Option<(NodeId, PlaceId)>>,
    /// Is it over?
    ended: Cell<bool>,
    /// Threads are kept in one list that only grows.
    next: *const Thread,
}

std::arch::global_asm!(
    ".section .tbss.mprof_thread,\"awT\",@nobits",
    ".globl mprof_thread",
    ".hidden mprof_thread",
    ".type mprof_thread, @object",
    ".size mprof_thread, 8",
    ".p2align 3",
    "mprof_thread:",
    ".zero 8",
    ".previous",
);

/// The address of this thread's word.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn word() -> *mut *const Thread {
    let word: *mut *const Thread;
    // SAFETY: reads the thread pointer and the offset the dynamic linker stored; touches no other memory.
    unsafe {
        std::arch::asm!(
            "mov {word}, qword ptr fs:[0]",
            "add {word}, qword ptr [rip + mprof_thread@GOTTPOFF]",
            word = out(reg) word,
            options(nostack, pure, readonly)
        );
    }
    word
}

/// Where this thread's stack ends now, about. Not the address of a variable: what has one cannot end in a jump.
#[inline(always)]
fn stack_pointer() -> usize {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let here: usize;
        // SAFETY: reads a register.
        unsafe { std::arch::asm!("mov {here}, rsp", here = out(reg) here, options(nomem, nostack, preserves_flags)) };
        here
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    {
        let here = 0u8;
        &raw const here as usize
    }
}

/// The address of this thread's word.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn word() -> *mut *const Thread {
    let word: *mut *const Thread;
    // SAFETY: as on x86-64.
    unsafe {
        std::arch::asm!(
            "mrs {word}, tpidr_el0",
            "adrp {offset}, :gottprel:mprof_thread",
            "ldr {offset}, [{offset}, :gottprel_lo12:mprof_thread]",
            "add {word}, {word}, {offset}",
            word = out(reg) word,
            offset = out(reg) _,
            options(nostack, pure, readonly, preserves_flags)
        );
    }
    word
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("Devel::MProf knows the thread-local storage of x86-64 and 64-bit ARM only");

static THREADS: AtomicPtr<Thread> = AtomicPtr::new(std::ptr::null_mut());
static KNOWN: AtomicU32 = AtomicU32::new(0);

/// With more threads than these a new one goes on with the figures of one that is over. A program may make threads without
/// end.
const THREADS_APART: u32 = 256;

/// The key whose destructor tells that a thread ends; [`NO_KEY`] where there is none.
static END_KEY: AtomicU32 = AtomicU32::new(NO_KEY);
const NO_KEY: u32 = u32::MAX;

/// From now on the ends of threads are seen.
pub fn watch_ends() {
    let mut key = NO_KEY;
    // SAFETY: the destructor is a function that stays loaded as long as the process.
    if unsafe { libc::pthread_key_create(&mut key, Some(ends)) } == 0 {
        END_KEY.store(key, Ordering::Relaxed);
    }
}

/// Called in a thread that ends. Should it go on to allocate or free, it is met anew.
unsafe extern "C" fn ends(_: *mut c_void) {
    let Some(thread) = current() else { return };
    own_heap::give_up_if_inside();
    hide();
    let held = lock::hold();
    thread.end();
    drop(held);
    // SAFETY: the word is this thread's own.
    unsafe { *word() = std::ptr::null() };
}

/// A thread in which nothing is recorded.
struct Nobody(Thread);
// SAFETY: it is always busy, so whoever has it for its own looks no further, and writes only that.
unsafe impl Sync for Nobody {}
static NOBODY: Nobody = Nobody(Thread::new(0, true));

/// Until this thread is registered nothing in it is recorded: waiting for a lock may take memory.
pub fn hide() {
    // SAFETY: the word is this thread's own.
    unsafe { *word() = &NOBODY.0 };
}

/// Is this thread the writer's, or one not known yet while the writer's begins?
pub fn is_writers() -> bool {
    current().map_or_else(super::writer::is_beginning, |thread| {
        thread.entered_at.load(Ordering::Relaxed) == FOR_GOOD && !std::ptr::eq(thread, &NOBODY.0)
    })
}

/// In a forked child: of all threads it has but this one.
pub fn only_this_is_left() {
    let this = current();
    for thread in all().filter(|&thread| !this.is_some_and(|this| std::ptr::eq(this, thread))) {
        // It may have been waiting for the lock.
        thread.entered_at.store(0, Ordering::Relaxed);
        thread.end();
    }
}

/// A number that this thread has and no other that is alive; never 0.
#[inline(always)]
pub fn identity() -> usize {
    word() as usize
}

/// This thread's state, or `None` before [`register`].
#[inline(always)]
pub fn current() -> Option<&'static Thread> {
    // SAFETY: null, or a `Thread` that `register` leaked.
    unsafe { current_or_null().as_ref() }
}

/// As [`current`].
#[inline(always)]
pub fn current_or_null() -> *const Thread {
    // SAFETY: the word is this thread's own.
    unsafe { *word() }
}

/// Makes this thread known. With `busy`, for good: it is the profiler's own. To be called with the recorder locked. Is it
/// the first time? It may be known already, and at its end.
#[cold]
pub fn register(busy: bool) -> (&'static Thread, bool) {
    // SAFETY: gettid has no precondition.
    let tid = unsafe { libc::gettid() } as u32;
    let is_full = KNOWN.load(Ordering::Relaxed) >= THREADS_APART;
    let mut ended = all().filter(|thread| !busy && thread.ended.get());
    // One of the same number first: this thread itself, which frees something after its end.
    let again = ended.clone().find(|thread| thread.tid == tid).or_else(|| ended.next().filter(|_| is_full));
    let thread = match again {
        Some(thread) => {
            thread.ended.set(false);
            thread
        }
        None => new(tid, busy),
    };
    // SAFETY: the word is this thread's own.
    unsafe { *word() = thread };
    let key = END_KEY.load(Ordering::Relaxed);
    if !busy && key != NO_KEY {
        thread.enter();
        // SAFETY: the key is there, and a value that is not null has the destructor called.
        unsafe { libc::pthread_setspecific(key, std::ptr::from_ref(thread).cast()) };
        thread.leave();
    }
    (thread, again.is_none())
}

fn new(tid: u32, busy: bool) -> &'static Thread {
    let thread = Box::leak(Box::new(Thread::new(tid, busy)));
    if !busy {
        KNOWN.fetch_add(1, Ordering::Relaxed);
        let mut head = THREADS.load(Ordering::Acquire);
        loop {
            thread.next = head;
            match THREADS.compare_exchange(head, thread, Ordering::Release, Ordering::Acquire) {
                Ok(_) => break,
                Err(newer) => head = newer,
            }
        }
    }
    thread
}

/// Is any thread of the program known yet?
pub fn any() -> bool {
    !THREADS.load(Ordering::Relaxed).is_null()
}

/// What the allocator did in a thread. Bytes and blocks are not neighbours: both at once, as a vector, take longer than two
/// sums.
#[repr(C)]
struct Counters {
    allocated_bytes: Cell<u64>,
    freed_bytes: Cell<u64>,
    allocated_blocks: Cell<u64>,
    freed_blocks: Cell<u64>,
}

impl Thread {
    const fn new(tid: u32, busy: bool) -> Self {
        Self {
            view: ThreadView { interp: Cell::new(std::ptr::null_mut()) },
            entered_at: AtomicUsize::new(if busy { FOR_GOOD } else { 0 }),
            tid,
            runs_perl: Cell::new(false),
            counters: Counters {
                allocated_bytes: Cell::new(0),
                freed_bytes: Cell::new(0),
                allocated_blocks: Cell::new(0),
                freed_blocks: Cell::new(0),
            },
            written: Cell::new(ThreadFigures {
                tid: 0,
                runs_perl: false,
                allocated_bytes: 0,
                allocated_blocks: 0,
                freed_bytes: 0,
                freed_blocks: 0,
            }),
            root: Cell::new(None),
            perl_root: Cell::new(None),
            ended: Cell::new(false),
            next: std::ptr::null(),
        }
    }

    fn end(&self) {
        self.runs_no(None);
        self.ended.set(true);
    }

    /// It runs no interpreter any more; what it still does goes to `root`.
    pub fn runs_no(&self, root: Option<(NodeId, PlaceId)>) {
        running::is_nobody();
        self.view.interp.set(std::ptr::null_mut());
        self.perl_root.set(root);
    }

    /// It runs that interpreter from now on, or a coroutine of it, with that main stack. Where there is a stack, all else is
    /// there, also as a signal handler sees it.
    pub fn runs(&self, interp: &mut InterpView, main_stack: *const c_void) {
        interp.main_stack = std::ptr::null();
        compiler_fence(Ordering::SeqCst);
        interp.thread = &self.view;
        self.view.interp.set(interp);
        if !lock::threads_expected() {
            running::is(interp);
        }
        compiler_fence(Ordering::SeqCst);
        interp.main_stack = main_stack;
        self.runs_perl.set(true);
    }

    /// Enters the profiler. `false`: it is inside already.
    #[inline(always)]
    pub fn enter(&self) -> bool {
        if self.entered_at.load(Ordering::Relaxed) != 0 {
            return false;
        }
        self.entered_at.store(stack_pointer(), Ordering::Relaxed);
        true
    }

    /// Leaves the profiler: what it did there can be seen by whoever sees that it has left.
    #[inline(always)]
    pub fn leave(&self) {
        self.entered_at.store(0, Ordering::Release);
    }

    /// Is it inside the profiler?
    pub fn is_busy(&self) -> bool {
        self.entered_at.load(Ordering::Acquire) != 0
    }

    /// It is inside, and wants to enter: has it jumped out, in a signal handler that died? What it was inside of would be
    /// further up the stack, which grows downwards.
    #[cold]
    pub fn has_jumped_out(&self) -> bool {
        self.entered_at.load(Ordering::Relaxed) <= stack_pointer()
    }

    /// A block of so many bytes is allocated in it.
    #[inline(always)]
    pub fn allocated(&self, bytes: u64) {
        let counters = &self.counters;
        counters.allocated_bytes.set(counters.allocated_bytes.get() + bytes);
        counters.allocated_blocks.set(counters.allocated_blocks.get() + 1);
    }

    /// A block of so many bytes is freed in it.
    #[inline(always)]
    pub fn freed(&self, bytes: u64) {
        let counters = &self.counters;
        counters.freed_bytes.set(counters.freed_bytes.get() + bytes);
        counters.freed_blocks.set(counters.freed_blocks.get() + 1);
    }

    /// What the allocator did in it.
    pub fn figures(&self) -> ThreadFigures {
        ThreadFigures {
            tid: self.tid,
            runs_perl: self.runs_perl.get(),
            allocated_bytes: self.counters.allocated_bytes.get(),
            allocated_blocks: self.counters.allocated_blocks.get(),
            freed_bytes: self.counters.freed_bytes.get(),
            freed_blocks: self.counters.freed_blocks.get(),
        }
    }
}

/// Is any thread of the program inside the profiler, as far as can be seen?
pub fn is_any_busy() -> bool {
    all().any(Thread::is_busy)
}

/// All threads that the program's allocations came from, newest first.
pub fn all() -> impl Iterator<Item = &'static Thread> + Clone {
    // SAFETY: nodes of the list are leaked and complete before they are linked.
    let first = unsafe { THREADS.load(Ordering::Acquire).cast_const().as_ref() };
    // SAFETY: as above.
    std::iter::successors(first, |thread| unsafe { thread.next.as_ref() })
}

/// Saves errno and puts it back when dropped: the slow ways of a hook make system calls.
pub struct ErrnoKept(i32);

impl Default for ErrnoKept {
    fn default() -> Self {
        Self::new()
    }
}

impl ErrnoKept {
    /// Saves errno.
    pub fn new() -> Self {
        // SAFETY: errno's address is valid for the calling thread.
        Self(unsafe { *libc::__errno_location() })
    }
}

impl Drop for ErrnoKept {
    fn drop(&mut self) {
        // SAFETY: as in `new`.
        unsafe { *libc::__errno_location() = self.0 }
    }
}
