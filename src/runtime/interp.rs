//! A perl interpreter as the recorder sees it: where its counters are, and its stack of open calls.
//!
//! Reads perl's variables through the addresses the shim gave; knows nothing of perl's structures but the two offsets
//! in [`PerlLayout`].

use super::birth_notes::Birth;
use super::call_stream::CallStream;
use super::coroutines::{Coroutine, Coroutines};
use super::heap_visit::HeapVisit;
use super::locations::LocationId;
use super::open_calls::OpenCalls;
use super::pools::PoolSuspect;
use super::scalar_ledger::{Heads, ScalarLedger};
use super::shim_types::{MprofScalar, MprofText};
use super::statement_cache::StatementCache;
use super::sub_cache::SubCache;
use super::thread::ThreadView;
use crate::format::ids::{NodeId, PlaceId, StrId};
use std::ffi::{c_char, c_void, CString};

/// What the shim may look at without a call: the head of an [`Interp`].
#[repr(C)]
pub struct InterpView {
    /// The stack (`PL_mainstack`) of its coroutine that the shim has met here last, which tells interpreters apart as well:
    /// of those that are alive no two have one in common. Null where the shim is to look again.
    pub main_stack: *const c_void,
    /// The open calls.
    pub open: OpenCalls,
    /// With a ledger: the top of perl's free list as of the last boundary.
    pub free_top: *const c_void,
    /// `PL_sv_count` as of the last boundary, where there is no ledger.
    pub scalars: isize,
    /// The thread that the shim has met it in last.
    pub thread: *const ThreadView,
    /// All that perl had freed at the last boundary.
    pub freed_so_far: u32,
    /// Is there a ledger of scalars?
    pub has_ledger: bool,
    /// perl's own pointer to the interpreter (`aTHX`); null when the interpreter is gone.
    pub perl: *const c_void,
}

/// Where one interpreter keeps what the recorder reads. All pointers stay valid until `mprof_interp_gone`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PerlLayout {
    /// `aTHX`, or any constant where perl is built without threads.
    pub perl: *const c_void,
    /// `&PL_curcop`.
    pub curcop: *const *const c_void,
    /// `&PL_compiling`.
    pub compiling: *const c_void,
    /// `&PL_sv_count`.
    pub sv_count: *const isize,
    /// `&PL_sv_root`, or null where scalars' heads are not kept in arenas as the ledger knows them.
    pub sv_root: *const *const c_void,
    /// `&PL_sv_arenaroot`.
    pub sv_arenaroot: *const *const c_void,
    /// `&PL_body_arenas`.
    pub body_arenas: *const *const c_void,
    /// What perl puts before each block that it asks malloc for, in bytes: its pointers point behind it. 0 but for a perl
    /// that checks its use of memory.
    pub block_header_bytes: usize,
    /// `&PL_mainstack`: another for each coroutine.
    pub main_stack: *const *const c_void,
    /// `PL_mainstack` of the interpreter's own program, as opposed to its coroutines.
    pub own_stack: *const c_void,
    /// Offset of `cop_line`, in bytes.
    pub cop_line_offset: usize,
    /// `CopFILE`: the file of a COP, or null. Called with a live COP; runs no Perl code and allocates nothing.
    pub cop_file: extern "C" fn(cop: *const c_void) -> *const c_char,
    /// Is the COP a statement of compiled code, or where perl's compiler is? Called with a live COP.
    pub is_statement: extern "C" fn(cop: *const c_void) -> bool,
    /// Tells what the live scalar at `scalar` is, its buffers and its references to what `visit` seeks, by calls of
    /// `mprof_heap_…`. Runs no Perl code, allocates and changes nothing.
    pub describe_scalar:
        extern "C" fn(perl: *const c_void, scalar: *const c_void, visit: *mut HeapVisit, told: *mut MprofScalar),
    /// Tells what the interpreter itself refers to, as root number `index`. Returns the root's name, a constant; no text
    /// where there is no root of that number.
    pub heap_root: extern "C" fn(perl: *const c_void, index: u32, visit: *mut HeapVisit) -> MprofText,
}

/// Where a statement that is being compiled stands: all of them have one address. The default is nowhere.
#[derive(Default)]
pub struct Compiled {
    /// The file's name.
    pub name: CString,
    /// The name's id.
    pub file: StrId,
    /// Line.
    pub line: u32,
    /// Both.
    pub at: LocationId,
    /// The place found last, and what it is the place of.
    pub place: Option<(NodeId, LocationId, PlaceId)>,
}

/// An interpreter. What is looked at most is in one line of cache.
#[repr(C, align(64))]
pub struct Interp {
    /// Head, shared with the shim.
    pub view: InterpView,
    /// Its addresses.
    pub layout: PerlLayout,
    /// Locations by the address of their statement.
    pub statements: StatementCache,
    /// What was being compiled last.
    pub compiled: Compiled,
    /// Whose calls are open: `PL_mainstack` of the coroutine that runs, or of the program.
    pub main_stack: *const c_void,
    /// The coroutines that wait, if there has been any.
    pub coroutines: Option<Box<Coroutines>>,
    /// A block that may be one of perl's pools growing.
    pub pool_suspect: Option<PoolSuspect>,
    /// Subs by the address of their code.
    pub subs: SubCache,
    /// The birthplaces of scalars, where that is asked for.
    pub ledger: Option<ScalarLedger>,
    /// Every entry and exit, where that is asked for.
    pub calls: Option<CallStream>,
}

impl Interp {
    /// An interpreter that runs in `root`.
    pub fn new(layout: PerlLayout, root: NodeId) -> Self {
        // SAFETY: the shim gives the address of the live interpreter's counter.
        let scalars = unsafe { *layout.sv_count };
        let view = InterpView {
            main_stack: std::ptr::null(),
            open: OpenCalls::new(root),
            free_top: std::ptr::null(),
            scalars,
            thread: std::ptr::null(),
            freed_so_far: 0,
            has_ledger: false,
            perl: layout.perl,
        };
        Self {
            view,
            layout,
            statements: StatementCache::default(),
            compiled: Compiled::default(),
            main_stack: layout.own_stack,
            coroutines: None,
            pool_suspect: None,
            subs: SubCache::default(),
            ledger: None,
            calls: None,
        }
    }

    /// The nodes of the open calls, the outermost first.
    pub fn open_nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.view.open.iter().map(|call| NodeId(call.node))
    }

    /// Begins the ledger; scalars that live already are `birth`'s.
    pub fn begin_ledger(&mut self, birth: Birth) {
        if self.layout.sv_root.is_null() {
            return;
        }
        let heads = Heads { root: self.layout.sv_root.cast(), arenas: self.layout.sv_arenaroot.cast() };
        // SAFETY: the addresses are the shim's, of the interpreter that runs; it is given up before they end (`gone`).
        let ledger = unsafe { ScalarLedger::new(heads, birth) };
        self.view.has_ledger = true;
        self.view.free_top = ledger.top().cast();
        self.ledger = Some(ledger);
    }

    /// Is that where perl's compiler is, and no statement?
    #[inline]
    pub fn is_compiling(&self, cop: usize) -> bool {
        cop == self.layout.compiling as usize
    }

    /// The statement that runs, or null.
    #[inline]
    pub fn curcop(&self) -> *const c_void {
        // SAFETY: valid until the interpreter is gone, and then pointed to a null of ours.
        unsafe { *self.layout.curcop }
    }

    /// `PL_sv_count`. Only for an interpreter that is not gone.
    #[inline(always)]
    pub fn scalars(&self) -> isize {
        // SAFETY: the address is of a variable of the interpreter, which is there. perl may be changing it.
        unsafe { self.layout.sv_count.read_volatile() }
    }

    /// Does a coroutine run whose calls are not those that are open here? Asked at each event of the allocator, which may
    /// be the first that is heard of it; calls and statements are asked about by the shim.
    #[inline]
    pub fn has_moved(&self) -> bool {
        self.coroutines.is_some() && self.main_stack_now() != self.main_stack
    }

    /// `PL_mainstack`.
    #[inline]
    pub fn main_stack_now(&self) -> *const c_void {
        // SAFETY: as in `curcop`.
        unsafe { *self.layout.main_stack }
    }

    /// From now on the open calls are those of the coroutine with that stack.
    pub fn change_to(&mut self, main_stack: *const c_void) {
        let Some(coroutines) = &mut self.coroutines else { return };
        let next = coroutines.take(main_stack as usize);
        let before = Coroutine {
            open: std::mem::replace(&mut self.view.open, next.open),
            calls: std::mem::replace(&mut self.calls, next.calls),
        };
        coroutines.put(self.main_stack as usize, before, self.main_stack == self.layout.own_stack);
        self.main_stack = main_stack;
    }

    /// The node that runs.
    #[inline(always)]
    pub fn node(&self) -> NodeId {
        NodeId(self.view.open.innermost().node)
    }

    /// Notes the statement that the innermost call runs now, and returns the one before.
    pub fn replace_statement(&mut self, cop: usize) -> usize {
        std::mem::replace(&mut self.view.open.innermost_mut().statement, cop)
    }

    /// Another interpreter takes the place of one that is gone: below the same root, and in its stream of calls.
    pub fn begin_anew(&mut self, layout: PerlLayout) {
        *self = Self { calls: self.calls.take(), ..Self::new(layout, self.node()) };
    }

    /// perl frees the interpreter: nothing of it may be read from now on.
    pub fn gone(&mut self) {
        struct Null(*const c_void);
        // SAFETY: the null is never written.
        unsafe impl Sync for Null {}
        static NOTHING: Null = Null(std::ptr::null());
        self.view.perl = std::ptr::null();
        self.layout.curcop = &NOTHING.0;
        self.coroutines = None;
        self.ledger = None;
        self.pool_suspect = None;
    }
}
