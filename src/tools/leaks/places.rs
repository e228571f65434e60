//! Growth that no group of a heap sample explains: by line, from the history alone.

use super::evidence::Evidence;
use super::origin::{Origins, Site};
use super::{Leak, Why};
use crate::format::ids::{PlaceId, StrId, SubId};
use crate::format::records::SubKind;
use crate::tools::trace::Trace;
use rustc_hash::{FxHashMap, FxHashSet};

/// Scalars that a line keeps beside blocks; fewer bytes than this for each are scalars' own texts and slots.
const BYTES_OF_A_SCALAR: f64 = 4096.0;

/// A line of a sub.
type Line = (StrId, u32, SubId);

/// The place of a line that grew most, by how many bytes, and all its places.
type Grown = (Site, f64, Vec<PlaceId>);

/// Lines whose places grew, each with all of them. `explained` places are left out; `buffers` names what has the
/// blocks of a place.
pub(super) fn leaks(
    trace: &Trace,
    evidence: &Evidence,
    origins: &Origins,
    explained: &FxHashSet<PlaceId>,
    buffers: &FxHashMap<PlaceId, String>,
) -> Vec<Leak> {
    let (before, after) = evidence.ends();
    let mut lines: FxHashMap<Line, Grown> = FxHashMap::default();
    for (id, now) in (0u32..).map(PlaceId).zip(&after) {
        let then = before.get(id.index()).copied().unwrap_or_default();
        let bytes = now.live_bytes as f64 - then.live_bytes as f64;
        let grew = bytes != 0.0 || now.scalars != then.scalars;
        let site = origins.site(id);
        let sub = |site: Site| trace.nodes.get(site.node.index()).map(|node| node.sub).unwrap_or_default();
        // perl's pools grow with everything; what they hold is told where it was born.
        if !grew || explained.contains(&id) || trace.sub(sub(site)).kind == SubKind::Pools {
            continue;
        }
        let own = origins.nearest_own(site);
        let line = lines.entry((own.file, own.line, sub(own))).or_insert((own, f64::MIN, Vec::new()));
        // The call path shown is that of the place that grew most.
        if bytes > line.1 {
            (line.0, line.1) = (own, bytes);
        }
        line.2.push(id);
    }
    let mut leaks: Vec<Leak> = lines
        .into_values()
        .map(|(site, _, places)| {
            let leak = evidence.of_places(&places, site, Why::NotSampled, origins);
            let is_blocks = leak.scalars.total < 1.0 || leak.bytes.total / leak.scalars.total > BYTES_OF_A_SCALAR;
            if !is_blocks {
                return leak;
            }
            let named = places.iter().filter_map(|place| buffers.get(place)).min();
            Leak { why: Why::Blocks { buffer_of: named.cloned().unwrap_or_default() }, ..leak }
        })
        .filter(|leak| leak.bytes.total > 0.0 || leak.scalars.total > 0.0)
        .collect();
    leaks.sort_by_key(|leak| (leak.site.file, leak.site.line));
    leaks
}
