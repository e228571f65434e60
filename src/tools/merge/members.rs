//! The traces that a merged one was made of. They are told in its header, among the options, so that every version of the
//! format has room for them.

use crate::format::records::Header;
use crate::tools::profile::names;
use crate::tools::trace::Trace;
use std::path::{Path, PathBuf};

/// Key of the options that each tell of a member.
pub const MEMBER: &str = "member";

/// Key of the options that each tell what is wrong with a member.
pub const MEMBER_WARNING: &str = "member_warning";

/// One trace of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Process id.
    pub pid: u32,
    /// Process id of the parent.
    pub parent_pid: u32,
    /// Number of the run: a process and its forked children are one.
    pub run: u32,
    /// Is it a forked child whose parent's trace is a member as well?
    pub child_of_member: bool,
    /// Start, in nanoseconds since 1970-01-01 UTC.
    pub start_unix_ns: u64,
    /// How long it ran, in nanoseconds.
    pub duration_ns: u64,
    /// Bytes it allocated itself.
    pub allocated_bytes: u64,
    /// Bytes it holds of that at the end.
    pub live_bytes: u64,
    /// The most it has held of that: what it adds to the peak.
    pub peak_bytes: u64,
    /// Name of the host.
    pub hostname: String,
    /// The trace of the parent, for a forked child.
    pub parent_trace: Option<PathBuf>,
    /// The trace.
    pub path: PathBuf,
}

impl Member {
    /// The member that a trace is; its own figures are for the caller to add.
    pub(super) fn of(trace: &Trace) -> Self {
        let header = &trace.header;
        Member {
            pid: header.pid,
            parent_pid: header.parent_pid,
            start_unix_ns: header.start_unix_ns,
            duration_ns: trace.last_time_ns(),
            hostname: header.hostname.clone(),
            parent_trace: header.parent_trace.as_ref().map(|path| PathBuf::from(names::text(path))),
            path: trace.path.canonicalize().unwrap_or_else(|_| trace.path.clone()),
            ..Member::default()
        }
    }

    /// The value of its option: fields in a row, those that could hold anything last.
    fn option(&self) -> String {
        let parent = self.parent_trace.as_deref().unwrap_or(Path::new(""));
        let numbers = [
            self.pid.into(),
            self.parent_pid.into(),
            self.run.into(),
            self.child_of_member.into(),
            self.start_unix_ns,
            self.duration_ns,
            self.allocated_bytes,
            self.live_bytes,
            self.peak_bytes,
        ];
        let numbers = numbers.map(|number: u64| number.to_string()).join(" ");
        let texts = [&self.hostname, &*parent.to_string_lossy(), &*self.path.to_string_lossy()];
        format!("{numbers}\t{}", texts.map(|text| text.replace(['\t', '\n'], " ")).join("\t"))
    }

    fn from_option(value: &str) -> Option<Self> {
        let mut texts = value.split('\t');
        let numbers: Vec<u64> = texts.next()?.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
        let &[pid, parent_pid, run, child, start_unix_ns, duration_ns, allocated_bytes, live_bytes, peak_bytes] =
            numbers.as_slice()
        else {
            return None;
        };
        let (hostname, parent, path) = (texts.next()?, texts.next()?, texts.next()?);
        Some(Member {
            pid: u32::try_from(pid).ok()?,
            parent_pid: u32::try_from(parent_pid).ok()?,
            run: u32::try_from(run).ok()?,
            child_of_member: child != 0,
            start_unix_ns,
            duration_ns,
            allocated_bytes,
            live_bytes,
            peak_bytes,
            hostname: hostname.to_owned(),
            parent_trace: (!parent.is_empty()).then(|| parent.into()),
            path: path.into(),
        })
    }
}

/// The members that a header tells of; none for the trace of a single process.
pub fn members(header: &Header) -> Vec<Member> {
    let told = header.options.iter().filter(|(key, _)| key == MEMBER);
    told.filter_map(|(_, value)| Member::from_option(value)).collect()
}

/// What a header tells to be wrong with members.
pub fn member_warnings(header: &Header) -> impl Iterator<Item = &str> {
    header.options.iter().filter(|(key, _)| key == MEMBER_WARNING).map(|(_, value)| value.as_str())
}

/// Options that tell of members, and of what is wrong with them.
pub(super) fn options(members: &[Member], warnings: &[String]) -> Vec<(String, String)> {
    let members = members.iter().map(|member| (MEMBER.to_owned(), member.option()));
    members.chain(warnings.iter().map(|warning| (MEMBER_WARNING.to_owned(), warning.clone()))).collect()
}

/// Finds out whose child each member is, and numbers the runs, in the order of the members.
pub(super) fn relate(members: &mut [Member]) {
    let parents: Vec<Option<usize>> = members.iter().map(|member| parent(members, member)).collect();
    let root = |mut at: usize| {
        // As many steps as there are members lead to the root, unless forged headers make a circle of them.
        for _ in 0..parents.len() {
            match parents.get(at).copied().flatten() {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    };
    let roots: Vec<usize> = (0..members.len()).map(root).collect();
    let mut runs: Vec<usize> = Vec::new();
    for ((member, parent), root) in members.iter_mut().zip(&parents).zip(roots) {
        member.child_of_member = parent.is_some();
        let known = runs.iter().position(|&run| run == root);
        let run = known.unwrap_or_else(|| {
            runs.push(root);
            runs.len() - 1
        });
        member.run = u32::try_from(run + 1).unwrap_or(u32::MAX);
    }
}

/// Index of the parent of a member. Traces may have been moved since they were written, so the name that a child knows
/// its parent's trace by may be another's by now: the process has to fit as well.
fn parent(members: &[Member], child: &Member) -> Option<usize> {
    let named = child.parent_trace.as_ref()?;
    let fits = |member: &Member| {
        member.pid == child.parent_pid
            && member.hostname == child.hostname
            && member.start_unix_ns <= child.start_unix_ns
            && member != child
    };
    let name = |path: &Path| path.file_name().map(ToOwned::to_owned);
    let by_path = members.iter().position(|member| fits(member) && member.path == *named);
    let by_name = || members.iter().position(|member| fits(member) && name(&member.path) == name(named));
    // The daemon's double fork: the parent has another pid by the time its child asks for it.
    let by_path_alone = || members.iter().position(|member| member != child && member.path == *named);
    by_path.or_else(by_name).or_else(by_path_alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(pid: u32, parent_pid: u32, path: &str, parent_trace: Option<&str>) -> Member {
        let parent_trace = parent_trace.map(PathBuf::from);
        Member { pid, parent_pid, path: path.into(), parent_trace, hostname: "box".to_owned(), ..Member::default() }
    }

    #[test]
    fn a_member_comes_back_as_it_was() {
        let mut told = member(7, 1, "/tmp/a b\\x.bin", Some("/tmp/p.bin"));
        told.live_bytes = u64::MAX;
        let header = Header { options: options(&[told.clone()], &["bad".to_owned()]), ..Header::default() };
        assert_eq!(members(&header), [told]);
        assert_eq!(member_warnings(&header).collect::<Vec<_>>(), ["bad"]);
        for forged in ["", "1 2", "1 2 3 4 5 6 7 8 9\thost", "99999999999 2 3 4 5 6 7 8 9\th\tp\tx", "x\t\t\t"] {
            assert_eq!(Member::from_option(forged), None, "{forged}");
        }
    }

    #[test]
    fn a_process_and_all_its_children_are_one_run() {
        let mut members = vec![
            member(3, 2, "/t/m.bin.3", Some("/t/m.bin.2")),
            member(9, 1, "/t/other.bin", None),
            member(1, 0, "/t/m.bin", None),
            member(2, 1, "/t/m.bin.2", Some("/t/m.bin")),
            member(5, 1, "/t/lost.bin.5", Some("/t/lost.bin")),
        ];
        relate(&mut members);
        assert_eq!(members.iter().map(|member| member.run).collect::<Vec<_>>(), [1, 2, 1, 1, 3]);
        let children: Vec<bool> = members.iter().map(|member| member.child_of_member).collect();
        assert_eq!(children, [true, false, false, true, false]);
    }

    #[test]
    fn traces_that_were_moved_together_are_still_one_run() {
        let mut members =
            vec![member(1, 0, "/copy/m.bin", None), member(2, 1, "/copy/m.bin.2", Some("/was/elsewhere/m.bin"))];
        relate(&mut members);
        assert!(members[1].child_of_member && members[1].run == 1);
    }

    #[test]
    fn a_circle_of_forged_parents_ends() {
        let mut members = vec![member(1, 2, "/t/a", Some("/t/b")), member(2, 1, "/t/b", Some("/t/a"))];
        relate(&mut members);
    }
}
