//! What is recorded: every event changes figures here, and nothing else does.
//!
//! An event belongs to the node that runs (the innermost open call) and to its statement (perl's `PL_curcop`). Bytes and
//! blocks are exact, at each call of the allocator. Scalars and pages are read at boundaries (statement, entry, exit)
//! and belong to what ran since the boundary before.

use super::block_table::{Block, BlockTable};
use super::call_tree::CallTree;
use super::eval_origins::{folded_name, EvalOrigins};
use super::generations;
use super::interp::{Interp, PerlLayout};
use super::interpose::usable_bytes;
use super::locations::{Location, LocationId, Locations};
use super::options::{Options, StatmMode};
use super::places::Places;
use super::pools::{self, PoolSuspect};
use super::recording::mprof_attention;
use super::scalar_ledger::Birth;
use super::statm::Statm;
use super::strings::Strings;
use super::sub_cache::SubKey;
use super::thread::{self, Thread};
use super::trace_state::TraceState;
use crate::format::ids::{NodeId, PlaceId, StrId};
use crate::format::records::{Sub, SubKind, TimePoint};
use std::ffi::{c_void, CStr};
use std::sync::atomic::Ordering::Relaxed;

/// Blocks of this many bytes may be mappings of their own, so that the resident set moves though the heap's end does not.
const MAPPING_BYTES: u64 = 128 << 10;

extern "C" {
    /// The heap's end, as glibc keeps it for `sbrk`.
    static __curbrk: *const c_void;
}

/// Counters of the whole process that are no sum over threads.
#[derive(Clone, Copy, Default)]
pub struct Counters {
    /// Bytes freed that are older than the start.
    pub older_freed_bytes: u64,
    /// Blocks freed that are older than the start.
    pub older_freed_blocks: u64,
    /// Bytes live now.
    pub live_bytes: u64,
    /// Blocks live now.
    pub live_blocks: u64,
    /// Bytes live at the peak.
    pub peak_bytes: u64,
    /// Blocks live at the peak.
    pub peak_blocks: u64,
    /// The newest peak.
    pub peak_number: u64,
    /// Bytes the program mapped.
    pub mapped_bytes: u64,
    /// Bytes the program unmapped.
    pub unmapped_bytes: u64,
    /// Births of scalars; without a ledger rises of `PL_sv_count`.
    pub scalars_born: u64,
    /// Deaths of scalars born since the start; without a ledger falls of it.
    pub scalars_died: u64,
    /// Deaths of scalars that are older than the start.
    pub older_scalars_died: u64,
}

/// What the shim says of a sub it was asked to name.
pub struct SubDescription<'a> {
    /// Its kind.
    pub kind: SubKind,
    /// Package.
    pub package: &'a [u8],
    /// Name without the package.
    pub name: &'a [u8],
    /// File of its body, as perl names it.
    pub file: &'a [u8],
    /// First line of its body.
    pub line: u32,
}

/// The recorder.
pub struct Recorder {
    /// How it was asked to record.
    pub options: Options,
    /// All strings.
    pub strings: Strings,
    /// The call tree.
    pub tree: CallTree,
    /// The places.
    pub places: Places,
    /// Files and lines of statements.
    pub locations: Locations,
    /// Process-wide counters.
    pub counters: Counters,
    /// /proc/self/statm.
    pub statm: Statm,
    /// The time line since the last snapshot.
    pub timeline: Vec<TimePoint>,
    /// What of it has been written.
    pub trace: TraceState,
    /// All interpreters there ever were.
    pub interps: Vec<*mut Interp>,
    /// Not recording for now.
    pub paused: bool,
    evals: EvalOrigins,
    blocks: Option<BlockTable>,
    pools: PlaceId,
    main: NodeId,
    seen_break: *const c_void,
    statm_due: bool,
}

impl Recorder {
    /// A recorder that has seen nothing yet.
    pub fn new(options: Options, trace: TraceState) -> Self {
        let mut strings = Strings::new();
        let mut tree = CallTree::new(options.depth);
        let mut places = Places::new();
        let mut root = |kind, name: &[u8]| {
            let sub = tree.sub(Sub { kind, name: strings.intern(name), ..Default::default() });
            tree.root(sub)
        };
        let main = root(SubKind::Main, b"(main program)");
        let pools = root(SubKind::Pools, b"(perl's pools)");
        let pools = places.intern(pools, LocationId::default());
        Self {
            blocks: options.live.then(BlockTable::new),
            options,
            strings,
            tree,
            places,
            locations: Locations::new(),
            counters: Counters::default(),
            statm: Statm::open(),
            timeline: Vec::new(),
            trace,
            interps: Vec::new(),
            paused: false,
            evals: EvalOrigins::default(),
            pools,
            main,
            seen_break: std::ptr::null(),
            statm_due: true,
        }
    }

    /// The interpreter at those addresses, new or old, as this thread's.
    pub fn interp(&mut self, layout: PerlLayout, thread: &Thread) -> *mut Interp {
        thread.runs_perl.set(true);
        let known = |&&interp: &&*mut Interp| {
            // SAFETY: interpreters are leaked, never freed.
            unsafe { (*interp).view.perl == layout.perl }
        };
        if let Some(&interp) = self.interps.iter().find(known) {
            return interp;
        }
        let number = self.interps.len();
        let root = if number == 0 { self.main } else { self.new_thread_root(&format!("(thread {number})")).0 };
        let interp = Box::leak(Box::new(Interp::new(layout, root)));
        self.begin_scalars(interp, number == 0);
        interp.freed_so_far = generations::all();
        self.interps.push(interp);
        interp
    }

    /// perl frees the interpreter at `perl`.
    pub fn gone(&mut self, perl: *const c_void) {
        for interp in self.interps.clone() {
            // SAFETY: interpreters are leaked, never freed.
            let interp = unsafe { &mut *interp };
            if interp.view.perl == perl {
                self.settle_pending(interp);
                while interp.view.depth > 0 {
                    interp.pop();
                }
                // What is left of a thread's scalars goes with it; the program's own outlive our last look.
                if interp.node != self.main {
                    self.end_scalars(interp);
                }
                interp.gone();
                break;
            }
        }
    }

    fn thread_root(&mut self, thread: &Thread) -> (NodeId, PlaceId) {
        if let Some(root) = thread.root.get() {
            return root;
        }
        let root = self.new_thread_root(&format!("(C thread {})", thread.tid));
        thread.root.set(Some(root));
        root
    }

    fn new_thread_root(&mut self, name: &str) -> (NodeId, PlaceId) {
        let name = self.strings.intern(name.as_bytes());
        let sub = self.tree.sub(Sub { kind: SubKind::Thread, name, ..Default::default() });
        let node = self.tree.root(sub);
        (node, self.places.intern(node, LocationId::default()))
    }

    // ---- where are we ----

    /// The interpreter whose code the thread runs.
    #[inline]
    pub fn interp_of(thread: &Thread) -> Option<&'static mut Interp> {
        // SAFETY: the head of an `Interp` that is never freed; only this thread runs it.
        unsafe { thread.view.interp.get().cast::<Interp>().as_mut() }
    }

    #[inline]
    fn place_now(&mut self, thread: &Thread) -> PlaceId {
        match Self::interp_of(thread) {
            Some(interp) => self.place_of(interp, interp.curcop() as usize),
            None => self.thread_root(thread).1,
        }
    }

    /// The place of the statement `cop`, which is alive, in the node that runs.
    #[inline]
    fn place_of(&mut self, interp: &mut Interp, cop: usize) -> PlaceId {
        match interp.places.get(interp.node, cop) {
            Some(place) => place,
            None => self.new_place(interp, cop),
        }
    }

    #[cold]
    fn new_place(&mut self, interp: &mut Interp, cop: usize) -> PlaceId {
        let at = if self.options.lines { self.location_id(interp, cop) } else { LocationId::default() };
        // The statement being compiled has one address for all lines.
        if cop == interp.layout.compiling as usize {
            if (interp.compiled_place.0, interp.compiled_place.1) != (interp.node, at) {
                interp.compiled_place = (interp.node, at, self.places.intern(interp.node, at));
            }
            return interp.compiled_place.2;
        }
        let place = self.places.intern(interp.node, at);
        interp.places.note(interp.node, cop, place);
        place
    }

    fn location_id(&mut self, interp: &mut Interp, cop: usize) -> LocationId {
        let location = self.location(interp, cop);
        if interp.last_location.0 != location {
            interp.last_location = (location, self.locations.intern(location));
        }
        interp.last_location.1
    }

    /// File and line of the statement `cop`, which is alive.
    fn location(&mut self, interp: &mut Interp, cop: usize) -> Location {
        if cop == 0 {
            return Location::default();
        }
        let cop = cop as *const c_void;
        // SAFETY: the statement is alive; the shim gave the offset, and `cop_file` answers with a C string or null.
        let (line, file) = unsafe {
            let file = (interp.layout.cop_file)(cop);
            let line = *cop.byte_add(interp.layout.cop_line_offset).cast::<u32>();
            (line, if file.is_null() { &[][..] } else { CStr::from_ptr(file).to_bytes() })
        };
        if cop == interp.layout.compiling {
            if interp.compiled_file.0 != file {
                interp.compiled_file = (file.to_vec(), self.file(file));
            }
            return Location { file: interp.compiled_file.1, line };
        }
        Location { file: self.file(file), line }
    }

    /// The id of a file's name, string evals by the statement they stand in.
    fn file(&mut self, name: &[u8]) -> StrId {
        match self.evals.name_of(name) {
            Some(folded) => folded,
            None if super::eval_origins::eval_number(name).is_some() => self.strings.intern(b"(eval)"),
            None => self.strings.intern(name),
        }
    }

    // ---- the allocator ----

    /// A block was allocated.
    #[inline]
    pub fn allocated(&mut self, thread: &Thread, address: usize, requested: usize) {
        if self.paused {
            return;
        }
        let bytes = usable_bytes(address);
        thread::count(&thread.allocated, bytes);
        let place = self.place_now(thread);
        if pools::ARENA_BYTES.contains(&requested) {
            self.suspect_pool(thread, PoolSuspect { address, bytes, place, peak_before: self.counters.peak_number });
        }
        self.counters.live_bytes = self.counters.live_bytes.wrapping_add(bytes);
        self.counters.live_blocks = self.counters.live_blocks.wrapping_add(1);
        self.places.allocated(place, bytes, self.options.live, self.counters.peak_number);
        if let Some(blocks) = &mut self.blocks {
            if let Some(lost) = blocks.insert(address, place, bytes) {
                // Its end went unseen; it is over all the same.
                let lost_bytes = lost.bytes.unwrap_or(0);
                self.freed(thread, Some(lost), lost_bytes);
            }
            if self.counters.live_bytes > self.counters.peak_bytes {
                self.counters.peak_bytes = self.counters.live_bytes;
                self.counters.peak_blocks = self.counters.live_blocks;
                self.counters.peak_number += 1;
            }
        }
        if bytes >= MAPPING_BYTES {
            self.statm_due = true;
        }
    }

    /// Removes a block from the table.
    #[inline]
    pub fn take_block(&mut self, address: usize) -> Option<Block> {
        self.blocks.as_mut()?.remove(address)
    }

    /// Undoes [`Recorder::take_block`].
    pub fn put_block_back(&mut self, address: usize, block: Block, bytes: u64) {
        if let Some(blocks) = &mut self.blocks {
            blocks.insert(address, block.place, bytes);
        }
    }

    /// A block of so many usable bytes is freed; `block` is what the table knew of it.
    #[inline]
    pub fn freed(&mut self, thread: &Thread, block: Option<Block>, bytes: u64) {
        if let Some(block) = block {
            self.places.freed(block.place, bytes, self.counters.peak_number);
        } else if self.blocks.is_some() {
            self.counters.older_freed_bytes += bytes;
            self.counters.older_freed_blocks += 1;
            return;
        } else if self.paused {
            return;
        }
        self.counters.live_bytes = self.counters.live_bytes.wrapping_sub(bytes);
        self.counters.live_blocks = self.counters.live_blocks.wrapping_sub(1);
        thread::count(&thread.freed, bytes);
        let node = match Self::interp_of(thread) {
            Some(interp) => interp.node,
            None => self.thread_root(thread).0,
        };
        self.tree.freed(node, bytes);
        if bytes >= MAPPING_BYTES {
            self.statm_due = true;
        }
    }

    /// The program mapped and unmapped so many bytes.
    pub fn mapped(&mut self, mapped_bytes: u64, unmapped_bytes: u64) {
        self.statm_due = true;
        if !self.paused {
            self.counters.mapped_bytes += mapped_bytes;
            self.counters.unmapped_bytes += unmapped_bytes;
        }
    }

    // ---- perl's pools ----

    #[cold]
    fn suspect_pool(&mut self, thread: &Thread, suspect: PoolSuspect) {
        if let Some(interp) = Self::interp_of(thread) {
            self.judge_pool(interp);
            interp.pool_suspect = Some(suspect);
            mprof_attention.store(1, Relaxed);
        }
    }

    /// If the suspect has become a pool, it is the pools' and not the place's that asked.
    #[cold]
    fn judge_pool(&mut self, interp: &mut Interp) {
        let Some(suspect) = interp.pool_suspect.take() else { return };
        if !pools::is_pool(interp, suspect.address) {
            return;
        }
        let newest = self.counters.peak_number;
        let lives = self.blocks.is_some();
        if let Some(blocks) = &mut self.blocks {
            blocks.insert(suspect.address, self.pools, suspect.bytes);
        }
        let lived_at_peak = newest > suspect.peak_before;
        self.places.reassigned(suspect.place, self.pools, suspect.bytes, lives, lived_at_peak, newest);
    }

    // ---- boundaries ----

    /// What happened to scalars since the boundary before belongs to the node that runs and to the statement `cop`.
    #[inline(always)]
    pub fn settle(&mut self, interp: &mut Interp, cop: usize) {
        if interp.scalars_moved() {
            // A statement that may have been freed since is not looked at.
            let cop = (interp.freed_so_far == generations::all()).then_some(cop);
            self.count_scalars(interp, cop);
        }
        if mprof_attention.load(Relaxed) != 0 {
            self.attend(interp);
        }
        interp.freed_so_far = generations::all();
    }

    #[inline(always)]
    fn settle_call(&mut self, interp: &mut Interp, cop: usize) {
        self.settle(interp, cop);
        match self.options.statm {
            StatmMode::Auto => {
                // SAFETY: glibc's own variable, read only.
                let at = unsafe { __curbrk };
                if at != self.seen_break || self.statm_due {
                    self.seen_break = at;
                    self.read_statm(interp);
                }
            }
            StatmMode::Every => self.read_statm(interp),
            StatmMode::Off => {}
        }
    }

    /// Scalars that have come or gone since the last boundary came in the node that runs, at the statement `cop` if it is
    /// known.
    fn count_scalars(&mut self, interp: &mut Interp, cop: Option<usize>) {
        let place = match cop {
            Some(cop) => self.place_of(interp, cop),
            None => self.places.intern(interp.node, LocationId::default()),
        };
        let peak = self.counters.peak_number;
        let Some(ledger) = &mut interp.ledger else {
            let grown = interp.scalars() - interp.view.scalars;
            interp.view.scalars += grown;
            let (born, died) = (grown.max(0) as u64, grown.min(0).unsigned_abs() as u64);
            self.places.scalars(place, born, died, peak);
            self.counters.scalars_born += born;
            self.counters.scalars_died += died;
            return;
        };
        let (places, counters) = (&mut self.places, &mut self.counters);
        let born = ledger.settle(place, |birth| match birth {
            Birth::At(birthplace) => {
                places.scalar_died(birthplace, peak);
                counters.scalars_died += 1;
            }
            Birth::Older => counters.older_scalars_died += 1,
        });
        interp.view.free_top = ledger.top().cast();
        if born > 0 {
            places.scalars(place, born, 0, peak);
            counters.scalars_born += born;
        }
    }

    /// A new interpreter: the program's own scalars are older than the start, a thread's are born as copies.
    fn begin_scalars(&mut self, interp: &mut Interp, is_first: bool) {
        let root = self.places.intern(interp.node, LocationId::default());
        let alive = interp.scalars() as u64;
        if self.options.ledger {
            interp.begin_ledger(if is_first { Birth::Older } else { Birth::At(root) });
        }
        if !is_first {
            self.places.scalars(root, alive, 0, self.counters.peak_number);
            self.counters.scalars_born += alive;
        }
    }

    /// All scalars of a thread die with it.
    fn end_scalars(&mut self, interp: &mut Interp) {
        let peak = self.counters.peak_number;
        let root = self.places.intern(interp.node, LocationId::default());
        match &interp.ledger {
            Some(ledger) => {
                for birth in ledger.births() {
                    if let Birth::At(place) = birth {
                        self.places.scalars(place, 0, 1, peak);
                        self.counters.scalars_died += 1;
                    }
                }
            }
            None => {
                let alive = interp.view.scalars as u64;
                self.places.scalars(root, 0, alive, peak);
                self.counters.scalars_died += alive;
            }
        }
    }

    /// What happened to scalars since the last boundary, where the statement is not known: at the end.
    pub fn settle_pending(&mut self, interp: &mut Interp) {
        if !interp.view.perl.is_null() && interp.scalars_moved() {
            self.count_scalars(interp, None);
        }
    }

    /// With `verify=1`: complains if an interpreter's ledger is not what its arenas hold. To be called at a boundary of
    /// `interp`.
    pub fn verify_scalars(&self, interp: &Interp) {
        let Some(ledger) = interp.ledger.as_ref().filter(|_| self.options.verify) else { return };
        let (live, wrong) = ledger.verify();
        let counted = interp.scalars() as u64;
        if wrong != 0 || live != counted {
            super::session::complain(&format!(
                "the ledger is wrong about {wrong} scalars; {live} live in the arenas and perl counts {counted}"
            ));
        }
    }

    #[cold]
    fn read_statm(&mut self, interp: &mut Interp) {
        let _errno = thread::ErrnoKept::new();
        self.statm_due = false;
        let (size, resident) = self.statm.read();
        if (size, resident) != (0, 0) {
            self.tree.grew(interp.node, size, resident);
        }
    }

    /// A tick has passed: the next entry or exit reads the pages.
    pub fn want_statm(&mut self) {
        self.statm_due = true;
    }

    #[cold]
    fn attend(&mut self, interp: &mut Interp) {
        let _errno = thread::ErrnoKept::new();
        mprof_attention.store(0, Relaxed);
        self.judge_pool(interp);
        super::session::attend(self, interp);
    }

    // ---- calls ----

    /// A sub is entered from the statement that runs. `false`: describe it, with [`Recorder::enter_described`].
    #[inline(always)]
    pub fn enter(&mut self, interp: &mut Interp, key: SubKey, stack: *const c_void, context: i32) -> bool {
        let cop = interp.curcop() as usize;
        self.settle_call(interp, cop);
        let child = match interp.subs.edge(interp.node, cop, key) {
            Some(child) => child,
            None => match interp.subs.sub(key) {
                Some(sub) => self.new_edge(interp, cop, key, sub),
                None => return false,
            },
        };
        self.open(interp, child, stack, context, cop);
        true
    }

    /// As [`Recorder::enter`], for a sub that was not known.
    #[cold]
    pub fn enter_described(
        &mut self,
        interp: &mut Interp,
        key: SubKey,
        stack: *const c_void,
        context: i32,
        description: &SubDescription,
    ) {
        let cop = interp.curcop() as usize;
        let sub = self.describe(description);
        interp.subs.note_sub(key, sub);
        let child = self.new_edge(interp, cop, key, sub);
        self.open(interp, child, stack, context, cop);
    }

    /// A file, or a string eval of number `eval`, begins to be compiled and run.
    #[cold]
    pub fn enter_code(
        &mut self,
        interp: &mut Interp,
        stack: *const c_void,
        context: i32,
        file: Option<&[u8]>,
        eval: u32,
    ) {
        let cop = interp.curcop() as usize;
        self.settle_call(interp, cop);
        let at = self.location(interp, cop);
        let sub = match file {
            Some(file) => Sub { kind: SubKind::Require, name: self.strings.intern(file), ..Default::default() },
            None => {
                let name = folded_name(self.strings.get(at.file), at.line);
                let name = self.strings.intern(&name);
                self.evals.note(eval, name);
                Sub { kind: SubKind::Eval, name, file: at.file, line: at.line, ..Default::default() }
            }
        };
        let sub = self.tree.sub(sub);
        let called_at = self.locations.intern(at);
        let child = self.tree.child(interp.node, sub, called_at);
        self.open(interp, child, stack, context, cop);
    }

    fn describe(&mut self, description: &SubDescription) -> crate::format::ids::SubId {
        let file = self.file(description.file);
        let name = match description.name {
            // One name for many subs: the place tells them apart, as it does clones of one closure from another's.
            b"__ANON__" if description.kind == SubKind::Perl => {
                let mut name = b"__ANON__[".to_vec();
                name.extend_from_slice(self.strings.get(file));
                name.extend_from_slice(format!(":{}]", description.line).as_bytes());
                name
            }
            b"BEGIN" => format!("BEGIN@{}", description.line).into_bytes(),
            name => name.to_vec(),
        };
        let sub = Sub {
            kind: description.kind,
            package: self.strings.intern(description.package),
            name: self.strings.intern(&name),
            file,
            line: description.line,
        };
        self.tree.sub(sub)
    }

    #[cold]
    fn new_edge(&mut self, interp: &mut Interp, cop: usize, key: SubKey, sub: crate::format::ids::SubId) -> NodeId {
        let called_at = self.location_id(interp, cop);
        let child = self.tree.child(interp.node, sub, called_at);
        if cop != interp.layout.compiling as usize && !self.tree.is_capped(interp.node, child) {
            interp.subs.note_edge(interp.node, cop, key, child);
        }
        child
    }

    #[inline]
    fn open(&mut self, interp: &mut Interp, node: NodeId, stack: *const c_void, context: i32, cop: usize) {
        self.tree.called(node);
        interp.push(node, stack, context, cop);
    }

    /// The innermost call is over; `cop` was its statement.
    #[inline]
    pub fn leave(&mut self, interp: &mut Interp, cop: usize) {
        self.settle_call(interp, cop);
        interp.pop();
    }

    /// A statement begins; what happened since the last boundary belongs to the one that this call ran before.
    pub fn statement_begins(&mut self, interp: &mut Interp, cop: usize) {
        let before = interp.replace_statement(cop);
        self.settle(interp, before);
    }

    /// All calls above `depth` are over.
    pub fn leave_to(&mut self, interp: &mut Interp, depth: usize, cop: usize) {
        if interp.view.depth > depth {
            self.settle_call(interp, cop);
        }
        while interp.view.depth > depth {
            interp.pop();
        }
    }
}
