//! `tree`: the call tree, indented, with what is small folded into one line at each level.

use super::{Options, Report};
use crate::format::ids::NodeId;
use crate::tools::document::{Section, Table, Value};
use crate::tools::profile::{names, Measures, Profile};
use crate::tools::select::{heads, Column, Selection, UnknownColumn};

/// The report.
pub(super) struct Tree;

/// A line of the tree: a node, or what was folded at a level.
struct Row {
    node: Option<NodeId>,
    parent: Option<NodeId>,
    depth: usize,
    kind: &'static str,
    name: String,
    call_file: String,
    call_line: u32,
    folded_nodes: u64,
    own: Measures,
    inclusive: Measures,
}

type Of = Column<Row>;

#[rustfmt::skip]
const COLUMNS: &[Column<Row>] = &[
    Of::new("inclusive_allocated_bytes", "inclusive\nallocated\nbytes", |row| Value::Bytes(row.inclusive.allocated_bytes)),
    Of::new("inclusive_allocated_blocks", "inclusive\nallocated\nblocks", |row| Value::Count(row.inclusive.allocated_blocks)).on_demand(),
    Of::new("self_allocated_bytes", "self\nallocated\nbytes", |row| Value::Bytes(row.own.allocated_bytes)),
    Of::new("self_allocated_blocks", "self\nallocated\nblocks", |row| Value::Count(row.own.allocated_blocks)).on_demand(),
    Of::new("inclusive_freed_bytes", "inclusive\nfreed\nbytes", |row| Value::Bytes(row.inclusive.freed_bytes)).on_demand(),
    Of::new("self_freed_bytes", "self\nfreed\nbytes", |row| Value::Bytes(row.own.freed_bytes)).on_demand(),
    Of::new("inclusive_live_bytes", "inclusive\nlive\nbytes", |row| Value::Bytes(row.inclusive.live_bytes)).spare(),
    Of::new("self_live_bytes", "self\nlive\nbytes", |row| Value::Bytes(row.own.live_bytes)).on_demand(),
    Of::new("inclusive_at_peak_bytes", "inclusive\nat peak\nbytes", |row| Value::Bytes(row.inclusive.at_peak_bytes)).on_demand(),
    Of::new("self_at_peak_bytes", "self\nat peak\nbytes", |row| Value::Bytes(row.own.at_peak_bytes)).on_demand(),
    Of::new("inclusive_net_scalars", "inclusive\nnet\nscalars", |row| Value::Signed(row.inclusive.net_scalars())).on_demand(),
    Of::new("self_net_scalars", "self\nnet\nscalars", |row| Value::Signed(row.own.net_scalars())).on_demand(),
    Of::new("calls", "calls", |row| Value::Count(row.own.calls)).spare(),
    Of::new("depth", "level", |row| Value::Count(row.depth as u64)).json_only(),
    Of::new("node_id", "node", |row| row.node.map_or(Value::Absent, |id| Value::Count(id.0.into()))).json_only(),
    Of::new("parent_id", "caller", |row| row.parent.map_or(Value::Absent, |id| Value::Count(id.0.into()))).json_only(),
    Of::new("kind", "kind", |row| Value::Text(row.kind.to_owned())).json_only(),
    Of::new("name", "name", |row| Value::Name(row.name.clone())).json_only(),
    Of::new("call_file", "called in", |row| Value::Path(row.call_file.clone())).json_only(),
    Of::new("call_line", "called on", |row| Value::Count(row.call_line.into())).json_only(),
    Of::new("folded_nodes", "folded", |row| Value::Count(row.folded_nodes)).json_only(),
    Of::new("shown_name", "sub and where it was called", |row| Value::Indented { depth: row.depth, text: shown_name(row) }).text_only(),
];

fn shown_name(row: &Row) -> String {
    match row.node {
        None if row.folded_nodes == 1 => "… 1 node folded".to_owned(),
        None => format!("… {} nodes folded", row.folded_nodes),
        Some(_) if row.call_file.is_empty() => row.name.clone(),
        Some(_) => format!("{}  {}:{}", row.name, row.call_file, row.call_line),
    }
}

impl Row {
    fn of_node(profile: &Profile, id: NodeId, depth: usize) -> Self {
        let trace = &profile.trace;
        let node = trace.nodes.get(id.index()).copied().unwrap_or_default();
        Row {
            node: Some(id),
            parent: profile.tree.parent(id),
            depth,
            kind: names::kind(trace.sub(node.sub).kind),
            name: names::sub(trace, node.sub),
            call_file: names::string(trace, node.call_file),
            call_line: node.call_line,
            folded_nodes: 0,
            own: profile.own(id),
            inclusive: profile.tree.inclusive(id),
        }
    }

    fn folded(parent: Option<NodeId>, depth: usize, folded_nodes: u64, inclusive: Measures) -> Self {
        let (name, call_file) = (String::new(), String::new());
        // All of it is folded, so what its nodes did themselves is what they did inclusively.
        let own = inclusive;
        Row { node: None, parent, depth, kind: "folded", name, call_file, call_line: 0, folded_nodes, own, inclusive }
    }
}

/// What a node's share is measured in: that of the column to sort by, else bytes allocated.
fn share(key: &str) -> fn(&Measures) -> u64 {
    if key.contains("live") {
        |measures| measures.live_bytes
    } else if key.contains("at_peak") {
        |measures| measures.at_peak_bytes
    } else {
        |measures| measures.allocated_bytes
    }
}

struct Folding<'a> {
    profile: &'a Profile,
    by: &'a Column<Row>,
    top: usize,
    /// By node: is it shown, as far as the filter goes?
    passing: Vec<bool>,
    /// By node: nodes of its subtree, itself included.
    sizes: Vec<u64>,
    share: fn(&Measures) -> u64,
    least: f64,
}

impl Folding<'_> {
    /// The rows of one level: siblings worth a line, in order, and one for those that are not.
    fn level(&self, parent: Option<NodeId>, depth: usize, siblings: &[NodeId]) -> Vec<Row> {
        let passing = siblings.iter().filter(|id| self.passing.get(id.index()) == Some(&true));
        let (mut shown, mut small) = (Vec::new(), Vec::new());
        for &id in passing {
            if (self.share)(&self.profile.tree.inclusive(id)) as f64 >= self.least {
                let row = Row::of_node(self.profile, id, depth);
                shown.push((self.by.value(&row), row));
            } else {
                small.push(id);
            }
        }
        shown.sort_by(|(a, _), (b, _)| self.by.order(a, b));
        small.extend(shown.drain(self.top.min(shown.len())..).filter_map(|(_, row)| row.node));
        let mut rows: Vec<Row> = shown.into_iter().map(|(_, row)| row).collect();
        if !small.is_empty() {
            let (mut nodes, mut sum) = (0, Measures::default());
            for id in small {
                nodes += self.sizes.get(id.index()).copied().unwrap_or(0);
                sum.add(&self.profile.tree.inclusive(id));
            }
            rows.push(Row::folded(parent, depth, nodes, sum));
        }
        rows
    }

    fn rows(&self) -> Vec<Row> {
        let tree = &self.profile.tree;
        let mut rows = Vec::new();
        let mut waiting = self.level(None, 0, tree.roots());
        waiting.reverse();
        while let Some(row) = waiting.pop() {
            if let Some(id) = row.node {
                waiting.extend(self.level(Some(id), row.depth + 1, tree.children(id)).into_iter().rev());
            }
            rows.push(row);
        }
        rows
    }
}

/// By node: does its name or that of a node above or below it pass the filter?
fn passing(profile: &Profile, selection: &Selection) -> Vec<bool> {
    let trace = &profile.trace;
    let by_sub: Vec<bool> = profile
        .trace
        .subs
        .iter()
        .enumerate()
        .map(|(at, sub)| {
            let id = crate::format::ids::SubId(u32::try_from(at).unwrap_or(0));
            selection.passes([names::sub(trace, id).as_str(), names::string(trace, sub.file).as_str()].into_iter())
        })
        .collect();
    let matching: Vec<bool> =
        trace.nodes.iter().map(|node| by_sub.get(node.sub.index()).copied().unwrap_or(false)).collect();
    let mut passing = profile.tree.summed_up(&matching, |above, below| *above |= below);
    let mut below = matching;
    for at in 0..below.len() {
        let id = NodeId(u32::try_from(at).unwrap_or(0));
        let above = profile.tree.parent(id).and_then(|parent| below.get(parent.index()).copied());
        if above == Some(true) {
            if let (Some(below), Some(passing)) = (below.get_mut(at), passing.get_mut(at)) {
                (*below, *passing) = (true, true);
            }
        }
    }
    passing
}

impl Report for Tree {
    fn name(&self) -> &'static str {
        "tree"
    }

    fn sections(&self, profile: &Profile, options: &Options) -> Result<Vec<Section>, UnknownColumn> {
        let selection = &options.selection;
        let by = selection.sort_column(COLUMNS, "inclusive_allocated_bytes")?;
        let share = share(by.key());
        let ones = vec![1u64; profile.tree.len()];
        let folding = Folding {
            profile,
            by,
            top: selection.top.unwrap_or(usize::MAX),
            passing: passing(profile, selection),
            sizes: profile.tree.summed_up(&ones, |above, below| *above += below),
            share,
            least: share(&profile.all) as f64 * options.min_percent / 100.0,
        };
        let rows: Vec<Vec<Value>> =
            folding.rows().iter().map(|row| COLUMNS.iter().map(|column| column.value(row)).collect()).collect();
        let rows_in_all = rows.len();
        let table = Table { heads: heads(COLUMNS, by.key(), &[]), rows, rows_in_all };
        Ok(vec![Section::table("tree", "", table)])
    }
}
