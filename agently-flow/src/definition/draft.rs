use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::node::{Definition, Join, JoinSpec, Node, NodeIdx, Op, Trigger};
use crate::chunk::{Chunk, Identity, Source};
use crate::condition::Condition;

/// A flow while it is being written. Faults are kept for the first start.
pub(crate) struct Draft {
    pub(super) nodes: Vec<Node>,
    pub(super) joins: Vec<JoinSpec>,
    pub(super) names: BTreeMap<Arc<str>, NodeIdx>,
    pub(super) faults: Vec<String>,
    /// Blocks that have no end yet: their opening stage and what they are called.
    open: BTreeMap<NodeIdx, &'static str>,
    /// Which function stands at a chunk stage.
    identities: BTreeMap<NodeIdx, Identity>,
    pub(super) frozen: Option<Arc<Definition>>,
}

/// A draft that several chains write to.
#[derive(Clone)]
pub(crate) struct DraftRef(Arc<Mutex<Draft>>);

impl DraftRef {
    pub(crate) fn new() -> Self {
        let mut draft = Draft {
            nodes: Vec::new(),
            joins: Vec::new(),
            names: BTreeMap::new(),
            faults: Vec::new(),
            open: BTreeMap::new(),
            identities: BTreeMap::new(),
            frozen: None,
        };
        draft.add(Op::Start, None);
        Self(Arc::new(Mutex::new(draft)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Draft> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Where the next stage of a chain will be attached.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attach {
    After(NodeIdx),
    Body(NodeIdx),
    Case(NodeIdx, usize),
    Otherwise(NodeIdx),
}

/// The entry of a branch that has none yet.
const OPEN: NodeIdx = NodeIdx::MAX;

impl Draft {
    fn add(&mut self, op: Op, name: Option<Arc<str>>) -> NodeIdx {
        let index = NodeIdx::try_from(self.nodes.len()).unwrap_or(NodeIdx::MAX - 1);
        if self.frozen.is_some() {
            self.faults.push(format!(
                "stage #{index} was added after the flow had been started; define a flow before \
                 its first start"
            ));
        }
        let named = name.is_some();
        let name = name.unwrap_or_else(|| format!("#{index}").into());
        self.nodes.push(Node {
            name,
            named,
            op,
            next: Vec::new(),
            listeners: Vec::new(),
            side: false,
        });
        index
    }

    pub(super) fn fault(&mut self, fault: impl Into<String>) {
        self.faults.push(fault.into());
    }

    fn attach(&mut self, at: Attach, node: NodeIdx) {
        let from = match at {
            Attach::After(from)
            | Attach::Body(from)
            | Attach::Case(from, _)
            | Attach::Otherwise(from) => from,
        };
        let Some(stage) = self.nodes.get_mut(from as usize) else {
            return;
        };
        match (at, &mut stage.op) {
            (Attach::Body(_), Op::ForEach { body, .. }) => *body = node,
            (Attach::Case(_, case), Op::Branch { cases, .. }) => {
                if let Some((_, entry)) = cases.get_mut(case) {
                    *entry = node;
                }
            }
            (Attach::Otherwise(_), Op::Branch { otherwise, .. }) => *otherwise = node,
            _ => stage.next.push(node),
        }
    }

    fn push(&mut self, at: Attach, op: Op, name: Option<Arc<str>>) -> NodeIdx {
        let node = self.add(op, name);
        self.attach(at, node);
        node
    }

    fn claim(&mut self, name: &Arc<str>, node: NodeIdx) {
        if let Some(first) = self.names.get(name) {
            let first = *first;
            self.fault(format!(
                "two stages are named `{name}` (#{first} and #{node}); give one of them another \
                 name, or refer to the first with `.to(\"{name}\")`"
            ));
        } else {
            self.names.insert(Arc::clone(name), node);
        }
    }

    /// A chunk's stage, attached or only registered. The same wiring twice is one edge.
    pub(crate) fn chunk(&mut self, at: Option<Attach>, chunk: Chunk, side: bool) -> NodeIdx {
        let (handler, identity, limits) = match chunk.source {
            Source::Own(handler, identity) => (handler, Some(identity), chunk.limits),
            Source::Named(name) => {
                let known = self.names.get(&name).copied();
                match known.and_then(|known| {
                    let identity = self.identities.get(&known).copied();
                    match &self.nodes.get(known as usize)?.op {
                        Op::Chunk(handler, limits) => {
                            Some((Arc::clone(handler), identity, limits.clone()))
                        }
                        _ => None,
                    }
                }) {
                    Some(found) => found,
                    None => {
                        let names: Vec<_> = self.names.keys().map(|n| format!("`{n}`")).collect();
                        self.fault(format!(
                            "no chunk named `{name}` is known here; known are: {}. Define it with \
                             `chunk(\"{name}\", …)` first",
                            list(&names)
                        ));
                        return 0;
                    }
                }
            }
        };
        if let (Some(Attach::After(from)), Some(identity)) = (at, identity) {
            if let Some(known) = self.same_edge(from, identity, chunk.name.as_ref(), side) {
                return known;
            }
        }
        let name = chunk.name;
        let node = self.add(Op::Chunk(handler, limits), name.clone());
        if let Some(at) = at {
            self.attach(at, node);
        }
        if let Some(stage) = self.nodes.get_mut(node as usize) {
            stage.side = side;
        }
        if let Some(identity) = identity {
            self.identities.insert(node, identity);
        }
        if let Some(name) = name {
            self.claim(&name, node);
        }
        node
    }

    fn same_edge(
        &self,
        from: NodeIdx,
        identity: Identity,
        name: Option<&Arc<str>>,
        side: bool,
    ) -> Option<NodeIdx> {
        let next = &self.nodes.get(from as usize)?.next;
        next.iter().copied().find(|candidate| {
            self.identities.get(candidate) == Some(&identity)
                && self.nodes.get(*candidate as usize).is_some_and(|node| {
                    node.side == side && node.named.then_some(&node.name) == name
                })
        })
    }

    /// The stage that stands for one trigger or any of several.
    pub(crate) fn when(&mut self, triggers: Vec<Trigger>) -> NodeIdx {
        if triggers.is_empty() {
            self.fault("`when_any` needs at least one trigger");
        }
        let known = self
            .nodes
            .iter()
            .position(|node| matches!(&node.op, Op::When(others) if *others == triggers));
        match known.and_then(|known| NodeIdx::try_from(known).ok()) {
            Some(known) => known,
            None => self.add(Op::When(triggers), None),
        }
    }

    /// The stage that stands for all of several triggers.
    pub(crate) fn when_all(&mut self, triggers: Vec<Trigger>, mode: Join) -> NodeIdx {
        let known = self
            .joins
            .iter()
            .find(|join| join.name.is_none() && join.triggers == triggers && join.mode == mode)
            .and_then(|join| join.stages.first().copied());
        if let Some(known) = known {
            return known;
        }
        let slots: Vec<_> = triggers.iter().map(|t| t.name().to_owned()).collect();
        if slots.is_empty() {
            self.fault("`when_all` needs at least one trigger");
        }
        for (position, slot) in slots.iter().enumerate() {
            if slots.iter().take(position).any(|other| other == slot) {
                self.fault(format!(
                    "`when_all` waits for `{slot}` twice; each trigger is a key of what it gives"
                ));
            }
        }
        let join = u32::try_from(self.joins.len()).unwrap_or(u32::MAX);
        let node = self.add(Op::WhenAll(join), None);
        self.joins.push(JoinSpec {
            name: None,
            slots,
            triggers,
            mode,
            stages: vec![node],
            listeners: Vec::new(),
        });
        node
    }

    /// A stage that fills a slot of a collection.
    pub(crate) fn collect(&mut self, at: Attach, name: &str, slot: &str) -> NodeIdx {
        let known = self
            .joins
            .iter()
            .position(|join| join.name.as_deref() == Some(name));
        let join = known.unwrap_or(self.joins.len());
        if known.is_none() {
            self.joins.push(JoinSpec {
                name: Some(name.into()),
                slots: Vec::new(),
                triggers: Vec::new(),
                mode: Join::Latest,
                stages: Vec::new(),
                listeners: Vec::new(),
            });
        }
        let index = u32::try_from(join).unwrap_or(u32::MAX);
        let slots = self.joins.get(join).map_or(0, |join| join.slots.len());
        let taken = self
            .joins
            .get(join)
            .is_some_and(|join| join.slots.iter().any(|other| other == slot));
        if taken {
            self.fault(format!("two stages collect slot `{slot}` of `{name}`"));
        }
        let node = self.push(
            at,
            Op::Collect {
                join: index,
                slot: u32::try_from(slots).unwrap_or(u32::MAX),
            },
            None,
        );
        if let Some(join) = self.joins.get_mut(join) {
            join.slots.push(slot.to_owned());
            join.stages.push(node);
        }
        node
    }

    pub(crate) fn operator(&mut self, at: Attach, op: Op) -> NodeIdx {
        self.push(at, op, None)
    }

    pub(crate) fn batch(
        &mut self,
        at: Attach,
        branches: Vec<(Option<Arc<str>>, Chunk)>,
        concurrency: Option<usize>,
    ) -> NodeIdx {
        let concurrency = self.cap("batch", concurrency);
        let opener = self.push(
            at,
            Op::Batch {
                branches: Vec::new(),
                concurrency,
            },
            None,
        );
        if branches.is_empty() {
            self.fault("`batch` needs at least one branch");
        }
        let mut entries: Vec<(Arc<str>, NodeIdx)> = Vec::with_capacity(branches.len());
        for (name, chunk) in branches {
            let node = self.chunk(None, chunk, false);
            let key = name.or_else(|| {
                self.nodes
                    .get(node as usize)
                    .filter(|stage| stage.named)
                    .map(|stage| Arc::clone(&stage.name))
            });
            let Some(key) = key else {
                self.fault("a branch of `batch` has no name; write it as `(\"name\", chunk)`");
                continue;
            };
            if entries.iter().any(|(other, _)| *other == key) {
                self.fault(format!("two branches of one `batch` are named `{key}`"));
            }
            entries.push((key, node));
        }
        let end = self.add(Op::End, None);
        for (_, node) in &entries {
            self.attach(Attach::After(*node), end);
        }
        if let Some(Op::Batch { branches, .. }) =
            self.nodes.get_mut(opener as usize).map(|node| &mut node.op)
        {
            *branches = entries;
        }
        self.attach(Attach::After(opener), end);
        end
    }

    fn cap(&mut self, operator: &str, concurrency: Option<usize>) -> usize {
        if concurrency == Some(0) {
            self.fault(format!(
                "`{operator}` with a concurrency of 0 would never run; leave it out for no limit"
            ));
        }
        concurrency.unwrap_or(usize::MAX)
    }

    pub(crate) fn open_for_each(&mut self, at: Attach, concurrency: Option<usize>) -> NodeIdx {
        let concurrency = self.cap("for_each", concurrency);
        let op = Op::ForEach {
            body: OPEN,
            concurrency,
        };
        let opener = self.push(at, op, None);
        self.open.insert(opener, "for_each");
        opener
    }

    pub(crate) fn open_branch(&mut self, at: Attach, all: bool, is_match: bool) -> NodeIdx {
        let op = Op::Branch {
            cases: Vec::new(),
            otherwise: OPEN,
            all,
            is_match,
        };
        let opener = self.push(at, op, None);
        let name = if is_match { "match_" } else { "if_condition" };
        self.open.insert(opener, name);
        opener
    }

    pub(crate) fn has_no_cases(&self, opener: NodeIdx) -> bool {
        self.nodes
            .get(opener as usize)
            .is_some_and(|node| matches!(&node.op, Op::Branch { cases, .. } if cases.is_empty()))
    }

    /// One more case; where its branch begins.
    pub(crate) fn case(&mut self, opener: NodeIdx, condition: Condition) -> Attach {
        match self.nodes.get_mut(opener as usize).map(|node| &mut node.op) {
            Some(Op::Branch { cases, .. }) => {
                cases.push((condition, OPEN));
                Attach::Case(opener, cases.len() - 1)
            }
            _ => Attach::Otherwise(opener),
        }
    }

    /// Closes a block: the ends of its branches come together here.
    pub(crate) fn close(&mut self, opener: NodeIdx, tails: &[Attach]) -> NodeIdx {
        let end = self.add(Op::End, None);
        for tail in tails {
            self.attach(*tail, end);
        }
        if let Some(node) = self.nodes.get_mut(opener as usize) {
            if let Op::Branch { otherwise, .. } = &mut node.op {
                if *otherwise == OPEN {
                    *otherwise = end;
                }
            }
            node.next.push(end);
        }
        self.open.remove(&opener);
        end
    }

    pub(super) fn open_faults(&self) -> impl Iterator<Item = String> + '_ {
        self.open.iter().map(|(opener, name)| {
            let end = match *name {
                "for_each" => "end_for_each",
                "match_" => "end_match",
                _ => "end_condition",
            };
            format!("the `{name}` at #{opener} is still open; close it with `{end}()`")
        })
    }
}

/// Words with commas, or "none".
pub(super) fn list(words: &[String]) -> String {
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}
