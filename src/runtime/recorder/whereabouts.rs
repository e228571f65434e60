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
            self.follow_unmet(interp, thread);
        }
        Some(interp)
    }

    #[inline]
    pub(super) fn place_now(&mut self, thread: &Thread) -> PlaceId {
        match self.interp_now(thread) {
            Some(interp) => self.place_of(interp, interp.curcop() as usize),
            None => self.thread_root(thread).1,
        }
    }

    /// The place of the statement `cop`, which is alive, in the node that runs.
    #[inline]
    pub(super) fn place_of(&mut self, interp: &mut Interp, cop: usize) -> PlaceId {
        match interp.places.get(interp.node, cop) {
            Some(place) => place,
            None => self.new_place(interp, cop),
        }
    }

    #[cold]
    pub(super) fn new_place(&mut self, interp: &mut Interp, cop: usize) -> PlaceId {
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

    pub(super) fn location_id(&mut self, interp: &mut Interp, cop: usize) -> LocationId {
        let location = self.location(interp, cop);
        if interp.last_location.0 != location {
            interp.last_location = (location, self.locations.intern(location));
        }
        interp.last_location.1
    }

    /// File and line of the statement `cop`, which is alive.
    pub(super) fn location(&mut self, interp: &mut Interp, cop: usize) -> Location {
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
    pub(super) fn file(&mut self, name: &[u8]) -> StrId {
        match self.evals.name_of(name) {
            Some(folded) => folded,
            None if eval_number(name).is_some() => self.strings.intern(b"(eval)"),
            None => self.strings.intern(name),
        }
    }
}
