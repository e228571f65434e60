//! What is recorded: every event changes figures here, and nothing else does.
//!
//! An event belongs to the node that runs (the innermost open call) and to its statement (perl's `PL_curcop`). Bytes and
//! blocks are exact, at each call of the allocator. Scalars and pages are read at boundaries (statement, entry, exit)
//! and belong to what ran since the boundary before.
//!
//! | file | events |
//! |---|---|
//! | `heap` | the allocator's |
//! | `calls` | a sub, file or eval is entered and left |
//! | `boundaries` | a statement, entry or exit: what was read since the last |
//! | `scalars` | scalars came and went |
//! | `coroutines` | another coroutine runs |
//! | `short_way` | a call, return or statement of which little has to be told |
//! | `whereabouts` | none: where the event happened |

mod boundaries;
mod calls;
mod coroutines;
mod heap;
mod scalars;
mod short_way;
mod whereabouts;

pub use calls::SubDescription;
pub use heap::LARGE_BYTES;
pub use short_way::Simply;

use self::scalars::book_scalars;
use super::births::BornAt;
use super::block_table::BlockTable;
use super::call_tree::CallTree;
use super::deaths::Deaths;
use super::eval_origins::EvalOrigins;
use super::frees::Frees;
use super::generations;
use super::hot_statements::{Counted, HotStatements};
use super::hurdles::{self, EXITS};
use super::interp::{Interp, PerlLayout};
use super::interpose::is_glibc;
use super::locations::{LocationId, Locations};
use super::marks::Marks;
use super::options::Options;
use super::places::Places;
use super::session;
use super::statm::Statm;
use super::strings::Strings;
use super::thread::{self, Thread};
use super::trace_state::TraceState;
use crate::format::heap::BirthUnit;
use crate::format::ids::{NodeId, PlaceId};
use crate::format::records::{Sub, SubKind, TimePoint};
use std::ffi::c_void;

/// Counters of the whole process that are no sum over threads. Those of live bytes and blocks are not neighbours: they
/// would be made a vector, which takes longer than two sums.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Counters {
    /// Bytes freed that are older than the start.
    pub older_freed_bytes: u64,
    /// Blocks freed that are older than the start.
    pub older_freed_blocks: u64,
    /// Bytes live now.
    pub live_bytes: u64,
    /// Bytes live at the peak.
    pub peak_bytes: u64,
    /// Blocks live now.
    pub live_blocks: u64,
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
    /// Of the statements that run most: their place, where their calls lead, and figures that are to be
    /// [settled](Recorder::settle_hot).
    hot: HotStatements,
    /// Deaths of scalars, to be settled as well.
    deaths: Deaths,
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
    /// All interpreters, the program's first. One that is gone is the next one's: a program may make threads without end.
    pub interps: Vec<*mut Interp>,
    /// Not recording for now.
    pub paused: bool,
    /// Units of the program's work.
    pub marks: Marks,
    /// Has it been said that a ledger is full?
    ledger_was_full: bool,
    /// What scalars that are born now get as the time of their birth.
    pub born_at: BornAt,
    /// Streams of calls there have been in this trace.
    pub streams: u32,
    evals: EvalOrigins,
    blocks: Option<BlockTable>,
    /// What nodes have freed, to be settled as well.
    frees: Frees,
    pools: PlaceId,
    main: NodeId,
}

impl Recorder {
    /// A recorder that has seen nothing yet.
    pub fn new(options: Options, trace: TraceState) -> Self {
        if options.calls {
            hurdles::put_up(EXITS);
        }
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
            blocks: options.live.then(|| BlockTable::new(is_glibc())),
            strings,
            tree,
            places,
            hot: HotStatements::default(),
            deaths: Deaths::default(),
            locations: Locations::new(),
            counters: Counters::default(),
            statm: Statm::open(),
            timeline: Vec::new(),
            trace,
            interps: Vec::new(),
            paused: false,
            marks: Marks::default(),
            ledger_was_full: false,
            born_at: BornAt::default(),
            options,
            streams: 0,
            evals: EvalOrigins::default(),
            frees: Frees::default(),
            pools,
            main,
        }
    }

    /// The interpreter at those addresses, new or old, as the one that this thread runs, and its coroutine that runs.
    pub fn interp(&mut self, layout: PerlLayout, thread: &Thread) -> *mut Interp {
        let found = self.find_interp(layout);
        // SAFETY: interpreters are leaked, and only this thread runs this one.
        let interp = unsafe { &mut *found };
        self.follow(interp);
        thread.runs(&mut interp.view, interp.main_stack);
        found
    }

    fn find_interp(&mut self, layout: PerlLayout) -> *mut Interp {
        // SAFETY: interpreters are leaked, never freed.
        let known = |&&interp: &&*mut Interp| unsafe { (*interp).view.perl == layout.perl };
        if let Some(&interp) = self.interps.iter().find(known) {
            return interp;
        }
        let number = self.interps.len();
        // SAFETY: as above; nothing refers to one that is gone.
        let mut gone = self.interps.iter().skip(1).map(|&known| unsafe { &mut *known });
        let interp = match gone.find(|known| known.view.perl.is_null()) {
            Some(known) => {
                known.begin_anew(layout);
                known
            }
            None => {
                let root = if number == 0 { self.main } else { self.new_thread_root(&format!("(thread {number})")).0 };
                let new = Box::leak(Box::new(Interp::new(layout, root)));
                self.interps.push(new);
                new
            }
        };
        self.begin_scalars(interp, number == 0);
        interp.view.freed_so_far = generations::all_freed();
        if self.options.calls && interp.calls.is_none() {
            self.begin_calls(interp);
        }
        interp
    }

    /// Nodes and places get what was counted for them. To be called before any of their figures is looked at.
    pub fn settle_hot(&mut self) {
        let (hot, mut figures) = self.hot_and_figures();
        hot.settle(&mut figures);
        let (tree, places, counters) = (&mut self.tree, &mut self.places, &mut self.counters);
        self.frees.settle(|node, bytes, blocks| tree.freed(node, bytes, blocks));
        self.deaths.settle(|birthplace, deaths| book_scalars(places, counters, birthplace, 0, deaths));
    }

    /// Nothing happens any more. What finds nodes and places is given back before the last snapshot needs memory.
    pub fn look_up_no_more(&mut self) {
        let (hot, mut figures) = self.hot_and_figures();
        hot.forget(&mut figures);
        self.tree.look_up_no_more();
        self.places.look_up_no_more();
    }

    /// The hot statements, and where what they counted belongs.
    fn hot_and_figures(&mut self) -> (&mut HotStatements, Figures<'_>) {
        let figures = Figures { tree: &mut self.tree, places: &mut self.places, counters: &mut self.counters };
        (&mut self.hot, figures)
    }

    /// Where the live blocks were allocated, if that is known.
    pub fn blocks(&self) -> Option<&BlockTable> {
        self.blocks.as_ref()
    }

    /// Does the place lie in a file that is being loaded?
    pub fn is_loading(&self, place: PlaceId) -> bool {
        self.tree.is_loading(self.places.node_of(place))
    }

    /// What births are counted by, how many there have been, and how many a forked child's parent had before it.
    pub fn births_so_far(&self) -> (BirthUnit, u64, u64) {
        if self.marks.made + self.marks.inherited > 0 {
            (BirthUnit::Marks, self.marks.made, self.marks.inherited)
        } else {
            (BirthUnit::Snapshots, self.trace.snapshot, self.trace.snapshots_inherited)
        }
    }

    /// A mark was made, or a snapshot taken: what is born from now on is born later.
    pub fn births_go_on(&mut self) {
        let (unit, made, inherited) = self.births_so_far();
        self.born_at = BornAt::new(unit, made + inherited);
    }

    /// perl frees the interpreter at `perl`. The address of its stack may be another's next.
    pub fn gone(&mut self, perl: *const c_void) {
        for interp in self.interps.clone() {
            // SAFETY: interpreters are leaked, never freed.
            let interp = unsafe { &mut *interp };
            if interp.view.perl == perl {
                self.settle_pending(interp);
                self.close_all(interp);
                session::send_calls(self, interp);
                // The addresses of its XSUBs may be another's soon.
                let (hot, mut figures) = self.hot_and_figures();
                hot.forget(&mut figures);
                // What is left of a thread's scalars goes with it; the program's own outlive our last look.
                if interp.node() != self.main {
                    self.end_scalars(interp);
                }
                interp.gone();
                let root = (interp.node(), self.places.intern(interp.node(), LocationId::default()));
                let ran_it = |thread: &&Thread| std::ptr::eq(thread.view.interp.get(), &interp.view);
                thread::all().filter(ran_it).for_each(|thread| thread.runs_no(Some(root)));
                break;
            }
        }
    }
}

/// Where figures are kept.
struct Figures<'a> {
    tree: &'a mut CallTree,
    places: &'a mut Places,
    counters: &'a mut Counters,
}

impl Counted for Figures<'_> {
    fn calls(&mut self, node: NodeId, calls: u32) {
        self.tree.called(node, calls);
    }

    fn scalars(&mut self, place: PlaceId, born: u32, died: u32) {
        book_scalars(self.places, self.counters, place, born.into(), died.into());
    }

    fn blocks(&mut self, place: PlaceId, bytes: u64, blocks: u32) {
        self.places.allocated_unwatched(place, bytes, blocks, self.counters.peak_number);
    }
}
