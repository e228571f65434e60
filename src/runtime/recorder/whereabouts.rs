//! Where an event happened: the thread's interpreter, the node that runs, the place of its statement.

use super::Recorder;
use crate::format::ids::{NodeId, PlaceId, StrId};
use crate::format::records::{Sub, SubKind};
use crate::runtime::eval_origins::eval_number;
use crate::runtime::interp::Interp;
use crate::runtime::locations::{Location, LocationId};
use crate::runtime::thread::Thread;
use std::ffi::{c_void, CStr};

impl Recorder {
    pub(super) fn thread_root(&mut self, thread: &Thread) -> (NodeId, PlaceId) {
        if let Some(root) = thread.perl_root.get().or(thread.root.get()) {
            return root;
        }
        let root = self.new_thread_root(&format!("(C thread {})", thread.tid));
        thread.root.set(Some(root));
        root
    }

    pub(super) fn new_thread_root(&mut self, name: &str) -> (NodeId, PlaceId) {
        let name = self.strings.intern(name.as_bytes());
        let sub = self.tree.sub(Sub { kind: SubKind::Thread, name, ..Default::default() });
        let node = self.tree.root(sub);
        (node, self.places.intern(node, LocationId::default()))
    }

    /// The interpreter whose code the thread runs.
    #[inline]
    pub fn interp_of(thread: &Thread) -> Option<&'static mut Interp> {
        // SAFETY: the head of an `Interp` that is never freed; only this thread runs it.
        unsafe { thread.view.interp.get().cast::<Interp>().as_mut() }
    }

    /// As [`Recorder::interp_of`], with the open calls of its coroutine that runs: the allocator may be the first that is
    /// called in it.
    #[inline]
    pub(super) fn interp_now(&mut self, thread: &Thread) -> Option<&'static mut Interp> {
        let interp = Self::interp_of(thread)?;
        if interp.has_moved() {
            self.follow_unmet(interp);
        }
        Some(interp)
    }

    /// Is that where perl's compiler is, and not one of the hot statements? Without lines there is nothing to look up.
    #[inline]
    pub(super) fn is_compiled(&self, interp: &Interp, cop: usize) -> bool {
        interp.is_compiling(cop) && self.options.lines
    }

    /// The place of the statement `cop`, which is alive, in the node that runs.
    #[inline]
    pub(super) fn place_of(&mut self, interp: &mut Interp, cop: usize) -> PlaceId {
        if self.is_compiled(interp, cop) {
            return self.compiled_place(interp);
        }
        match self.hot.place(cop, interp.node()) {
            Some(place) => place,
            None => self.find_place(interp, cop),
        }
    }

    #[cold]
    fn find_place(&mut self, interp: &mut Interp, cop: usize) -> PlaceId {
        let at = match self.statement_at(interp, cop) {
            _ if !self.options.lines => LocationId::default(),
            Some(at) => at,
            None => return self.compiled_place(interp),
        };
        let place = self.places.intern(interp.node(), at);
        let (hot, mut figures) = self.hot_and_figures();
        hot.note_place(cop, interp.node(), place, &mut figures);
        place
    }

    /// The place of what is being compiled. A line takes many allocations.
    fn compiled_place(&mut self, interp: &mut Interp) -> PlaceId {
        let at = self.compiled_location(interp);
        match interp.compiled.place {
            Some((node, of, place)) if node == interp.node() && of == at => place,
            _ => {
                let place = self.places.intern(interp.node(), at);
                interp.compiled.place = Some((interp.node(), at, place));
                place
            }
        }
    }

    /// File and line of the statement `cop`, which is alive.
    pub(super) fn location_of(&mut self, interp: &mut Interp, cop: usize) -> LocationId {
        match self.statement_at(interp, cop) {
            Some(at) => at,
            None => self.compiled_location(interp),
        }
    }

    /// The same, if it has an address of its own: all statements that are being compiled have one, and all whose constants
    /// are folded a few on the C stack.
    #[inline]
    pub(super) fn statement_at(&mut self, interp: &mut Interp, cop: usize) -> Option<LocationId> {
        interp.statements.get(cop).or_else(|| self.new_location(interp, cop))
    }

    #[cold]
    fn new_location(&mut self, interp: &mut Interp, cop: usize) -> Option<LocationId> {
        let statement = cop as *const c_void;
        if statement.is_null() {
            return Some(LocationId::default());
        }
        if interp.is_compiling(cop) || !(interp.layout.is_statement)(statement) {
            return None;
        }
        // SAFETY: the statement is alive; the shim gave the offset, and `cop_file` answers with a C string or null.
        let (line, name) = unsafe {
            let name = (interp.layout.cop_file)(statement);
            let line = *statement.byte_add(interp.layout.cop_line_offset).cast::<u32>();
            (line, if name.is_null() { c"" } else { CStr::from_ptr(name) })
        };
        let file = self.file(name.to_bytes());
        let at = self.locations.intern(Location { file, line });
        interp.statements.note(cop, at);
        Some(at)
    }

    /// Where perl's compiler is. Its file's name may change in place, so it is compared each time.
    pub(super) fn compiled_location(&mut self, interp: &mut Interp) -> LocationId {
        let compiled = &mut interp.compiled;
        let statement = interp.layout.compiling;
        // SAFETY: as in `new_location`; what is compared are C strings.
        let (line, name, is_same) = unsafe {
            let line = *statement.byte_add(interp.layout.cop_line_offset).cast::<u32>();
            let name = (interp.layout.cop_file)(statement);
            let name = if name.is_null() { c"".as_ptr() } else { name };
            (line, name, libc::strcmp(name, compiled.name.as_ptr()) == 0)
        };
        if is_same && compiled.line == line {
            return compiled.at;
        }
        if !is_same {
            // SAFETY: as above.
            let name = unsafe { CStr::from_ptr(name) };
            (compiled.name, compiled.file) = (name.into(), self.file(name.to_bytes()));
        }
        compiled.line = line;
        compiled.at = self.locations.intern(Location { file: compiled.file, line });
        compiled.at
    }

    /// The id of a file's name, string evals by the statement they stand in.
    pub(super) fn file(&mut self, name: &[u8]) -> StrId {
        match self.evals.name_of(name) {
            Some(folded) => folded,
            None if eval_number(name).is_some() => self.strings.intern(b"(eval)"),
            None => self.strings.intern(name),
        }
    }
}
