//! Subs, files and string evals are entered and left.

use super::Recorder;
use crate::format::calls::CallStep;
use crate::format::ids::{NodeId, StrId, SubId};
use crate::format::records::{Sub, SubKind};
use crate::runtime::call_stream::{CallStream, Counted};
use crate::runtime::eval_origins::folded_name;
use crate::runtime::hurdles::{self, EXITS};
use crate::runtime::interp::Interp;
use crate::runtime::session;
use crate::runtime::shim_types::MprofSub;
use crate::runtime::sub_cache::SubKey;
use std::ffi::c_void;

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

impl<'a> SubDescription<'a> {
    /// What the shim told.
    ///
    /// # Safety
    /// The texts of `sub` are readable and stay as they are.
    pub unsafe fn told(sub: &'a MprofSub) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            Self {
                kind: if sub.is_xsub { SubKind::Xsub } else { SubKind::Perl },
                package: sub.package.bytes(),
                name: sub.name.bytes(),
                file: sub.file.bytes(),
                line: sub.line,
            }
        }
    }
}

impl Recorder {
    /// A sub is entered from the statement that runs. `false`: describe it, with [`Recorder::enter_described`].
    #[inline(always)]
    pub fn enter(&mut self, interp: &mut Interp, key: SubKey, stack: *const c_void, context: i32) -> bool {
        let cop = self.settle_entry(interp);
        let child = match self.hot.call(cop, interp.node(), key) {
            Some(child) => child,
            None => match interp.subs.sub(key) {
                Some(sub) => self.find_child(interp, cop, key, sub),
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
        let child = self.find_child(interp, cop, key, sub);
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
        let cop = self.settle_entry(interp);
        let called_at = self.location_of(interp, cop);
        let at = self.locations.get(called_at);
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
        let child = self.tree.child(interp.node(), sub, called_at);
        self.tree.called(child, 1);
        self.open(interp, child, stack, context, cop);
    }

    /// What the reports call a sub, with its package.
    pub fn full_name(&mut self, description: &SubDescription) -> Vec<u8> {
        let file = self.file(description.file);
        let name = self.name(description, file);
        if description.package.is_empty() {
            return name;
        }
        [description.package, &name].join(&b"::"[..])
    }

    /// A sub's name without the package; `file` is its file.
    fn name(&self, description: &SubDescription, file: StrId) -> Vec<u8> {
        match description.name {
            // One name for many subs: the place tells them apart, as it does clones of one closure from another's.
            b"__ANON__" if description.kind == SubKind::Perl => {
                let mut name = b"__ANON__[".to_vec();
                name.extend_from_slice(self.strings.get(file));
                name.extend_from_slice(format!(":{}]", description.line).as_bytes());
                name
            }
            b"BEGIN" => format!("BEGIN@{}", description.line).into_bytes(),
            name => name.to_vec(),
        }
    }

    pub(super) fn describe(&mut self, description: &SubDescription) -> SubId {
        let file = self.file(description.file);
        let name = self.name(description, file);
        let sub = Sub {
            kind: description.kind,
            package: self.strings.intern(description.package),
            name: self.strings.intern(&name),
            file,
            line: description.line,
        };
        let id = self.tree.sub(sub);
        if !self.options.mark.is_empty() && self.marks.watch(&self.options.mark, id, &sub, &self.strings) {
            hurdles::put_up(EXITS);
        }
        id
    }

    /// Finds where a call leads, and counts it.
    #[cold]
    fn find_child(&mut self, interp: &mut Interp, cop: usize, key: SubKey, sub: SubId) -> NodeId {
        let statement_at = self.statement_at(interp, cop);
        let called_at = statement_at.unwrap_or_else(|| self.compiled_location(interp));
        let capped_before = self.tree.depth_capped_calls;
        let child = self.tree.child(interp.node(), sub, called_at);
        // What is cut off is not remembered, for each is counted.
        if statement_at.is_some() && self.tree.depth_capped_calls == capped_before {
            let (hot, mut figures) = self.hot_and_figures();
            hot.note_child(cop, interp.node(), key, child, &mut figures);
        }
        self.tree.called(child, 1);
        child
    }

    /// Opens a call that has been counted.
    #[inline(always)]
    fn open(&mut self, interp: &mut Interp, node: NodeId, stack: *const c_void, context: i32, cop: usize) {
        if interp.calls.is_some() {
            self.stream(interp, CallStep::Enter(node));
        }
        interp.view.open.push(stack, context, node, cop);
    }

    /// The innermost call is over; `cop` was its statement.
    #[inline]
    pub fn leave(&mut self, interp: &mut Interp, cop: usize) {
        self.settle_exit(interp, cop);
        if hurdles::any_of(EXITS) {
            self.close(interp);
        } else {
            interp.view.open.pop();
        }
    }

    /// Closes the innermost call, and tells who needs to know.
    #[cold]
    fn close(&mut self, interp: &mut Interp) {
        let node = interp.node();
        self.stream(interp, CallStep::Exit);
        interp.view.open.pop();
        if self.marks.is_watched(self.tree.sub_of(node)) {
            let label = self.options.mark.clone();
            session::mark(self, interp, &label);
        }
    }

    /// Closes the calls above `depth`.
    pub fn close_to(&mut self, interp: &mut Interp, depth: usize) {
        if !hurdles::any_of(EXITS) {
            interp.view.open.pop_to(depth);
        }
        while interp.view.open.depth() > depth {
            self.close(interp);
        }
    }

    /// Begins the stream of calls of an interpreter, or of a coroutine, with those that are open.
    pub fn begin_calls(&mut self, interp: &mut Interp) {
        let pages = (self.statm.last.size, self.statm.last.resident);
        interp.calls = Some(CallStream::new(self.streams, self.counted(interp), pages));
        self.streams += 1;
        for node in interp.open_nodes().collect::<Vec<_>>() {
            self.stream(interp, CallStep::Enter(node));
        }
    }

    /// In a forked child, which has but this interpreter, with its coroutines.
    pub fn begin_calls_anew(&mut self, interp: &mut Interp) {
        for &other in self.interps.iter().filter(|&&other| !std::ptr::eq(other, interp)) {
            // SAFETY: interpreters are leaked, and no thread runs this one.
            unsafe { (*other).calls = None };
        }
        if interp.calls.is_none() {
            return;
        }
        self.streams = 0;
        self.begin_calls(interp);
        if let Some(coroutines) = &mut interp.coroutines {
            coroutines.forget_streams();
        }
        self.in_each_that_waits(interp, Self::begin_calls);
    }

    fn counted(&self, interp: &Interp) -> Counted {
        Counted { live_bytes: self.counters.live_bytes, scalars: interp.scalars() as u64 }
    }

    /// An entry or exit, for the stream of calls if there is one.
    #[inline]
    fn stream(&mut self, interp: &mut Interp, step: CallStep) {
        let now = self.counted(interp);
        if interp.calls.as_mut().is_some_and(|calls| calls.push(step, now)) {
            session::send_calls(self, interp);
        }
    }

    /// A statement begins; what happened since the last boundary belongs to the one that this call ran before.
    pub fn statement_begins(&mut self, interp: &mut Interp, cop: usize) {
        let before = interp.replace_statement(cop);
        self.settle(interp, before);
    }

    /// All calls above `depth` are over.
    pub fn leave_to(&mut self, interp: &mut Interp, depth: usize, cop: usize) {
        if interp.view.open.depth() > depth {
            self.settle_exit(interp, cop);
        }
        self.close_to(interp, depth);
    }
}
