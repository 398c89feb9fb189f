use std::collections::BTreeMap;
use std::sync::Arc;

use super::draft::{list, Draft, DraftRef};
use super::node::{Definition, Join, JoinSpec, Listener, Node, NodeIdx, Op, Trigger};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Digest;
use crate::path::StatePath;

/// Turns what was written into a definition, or says everything that is wrong with it.
pub(crate) fn freeze(name: &Arc<str>, draft: &DraftRef) -> Result<Arc<Definition>> {
    freeze_below(name, draft, &mut Vec::new())
}

fn freeze_below(
    name: &Arc<str>,
    draft_ref: &DraftRef,
    above: &mut Vec<DraftRef>,
) -> Result<Arc<Definition>> {
    let (mut nodes, mut joins, names, mut faults) = {
        let draft = draft_ref.lock();
        match &draft.frozen {
            Some(definition) if draft.faults.is_empty() => return Ok(Arc::clone(definition)),
            _ => {}
        }
        let mut faults = draft.faults.clone();
        faults.extend(draft.open_faults());
        let Draft {
            nodes,
            joins,
            names,
            ..
        } = &*draft;
        (nodes.clone(), joins.clone(), names.clone(), faults)
    };
    above.push(draft_ref.clone());
    for node in &mut nodes {
        if let Op::SubFlow(child) = &mut node.op {
            if above.iter().any(|flow| flow.is(child.flow.draft())) {
                faults.push(format!(
                    "flow `{}` contains itself as a sub-flow; use an event to go round",
                    child.flow.name()
                ));
                continue;
            }
            match freeze_below(child.flow.shared_name(), child.flow.draft(), above) {
                Ok(definition) => child.definition = Some(definition),
                Err(error) => faults.push(error.to_string()),
            }
        }
    }
    above.pop();

    let mut wiring = Wiring::default();
    let mut wires: Vec<(Trigger, Listener)> = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        if let Op::When(triggers) = &node.op {
            for (slot, trigger) in triggers.iter().enumerate() {
                wires.push((
                    trigger.clone(),
                    Listener::Stage {
                        node: NodeIdx::try_from(index).unwrap_or(NodeIdx::MAX),
                        slot: u32::try_from(slot).unwrap_or(u32::MAX),
                    },
                ));
            }
        }
    }
    for (index, join) in joins.iter().enumerate() {
        for (slot, trigger) in join.triggers.iter().enumerate() {
            wires.push((
                trigger.clone(),
                Listener::Join {
                    join: u32::try_from(index).unwrap_or(u32::MAX),
                    slot: u32::try_from(slot).unwrap_or(u32::MAX),
                },
            ));
        }
    }
    for (trigger, listener) in wires {
        match &trigger {
            Trigger::Start => add_listener(&mut nodes, 0, listener),
            Trigger::Event(event) => {
                let event = Arc::from(event.as_str());
                wiring.events.entry(event).or_default().push(listener);
            }
            Trigger::State(path) => match StatePath::parse(path) {
                Ok(path) => wiring.watchers.push((path, listener)),
                Err(error) => faults.push(error.to_string()),
            },
            Trigger::Chunk(chunk) => match names.get(chunk.as_str()) {
                Some(node) => add_listener(&mut nodes, *node, listener),
                None => {
                    let known: Vec<_> = names.keys().map(|name| format!("`{name}`")).collect();
                    faults.push(format!(
                        "something waits for chunk `{chunk}`, which is not in the flow; named \
                         chunks are: {}",
                        list(&known)
                    ));
                }
            },
            Trigger::Collect(collection) => {
                let found = joins
                    .iter_mut()
                    .find(|join| join.name.as_deref() == Some(collection));
                match found {
                    Some(join) => join.listeners.push(listener),
                    None => faults.push(format!(
                        "something waits for the collection `{collection}`, which no `collect` fills"
                    )),
                }
            }
        }
    }
    if !faults.is_empty() {
        return Err(Error::new(
            ErrorKind::Definition,
            format!("flow `{name}` is not well defined: {}", faults.join("; ")),
        ));
    }
    let stages: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(index, node)| describe(index, node, &joins))
        .collect();
    let mut digest = Digest::new();
    for stage in &stages {
        digest.text(stage);
    }
    let definition = Arc::new(Definition {
        name: Arc::clone(name),
        nodes,
        joins,
        events: wiring.events,
        watchers: wiring.watchers,
        names,
        fingerprint: format!("{:016x}", digest.finish()),
        stages,
    });
    let mut draft = draft_ref.lock();
    Ok(Arc::clone(draft.frozen.get_or_insert(definition)))
}

#[derive(Default)]
struct Wiring {
    events: BTreeMap<Arc<str>, Vec<Listener>>,
    watchers: Vec<(StatePath, Listener)>,
}

fn add_listener(nodes: &mut [Node], node: NodeIdx, listener: Listener) {
    if let Some(node) = nodes.get_mut(node as usize) {
        node.listeners.push(listener);
    }
}

/// A stage in words that stay the same from build to build.
fn describe(index: usize, node: &Node, joins: &[JoinSpec]) -> String {
    let what = match &node.op {
        Op::Start => "start".to_owned(),
        Op::When(triggers) => {
            let triggers: Vec<_> = triggers.iter().map(Trigger::describe).collect();
            format!("when {}", triggers.join(" | "))
        }
        Op::WhenAll(join) => {
            let join = joins.get(*join as usize);
            let mode = match join.map(|join| join.mode) {
                Some(Join::Queue) => "queue",
                _ => "latest",
            };
            let triggers = join.map_or(&[][..], |join| &join.triggers);
            let triggers: Vec<_> = triggers.iter().map(Trigger::describe).collect();
            format!("when_all {mode} {}", triggers.join(" & "))
        }
        Op::Chunk(..) if node.side => format!("side_branch {}", node.name),
        Op::Chunk(..) => format!("chunk {}", node.name),
        Op::ForEach { body, concurrency } => format!("for_each {body} {}", cap(*concurrency)),
        Op::Batch {
            branches,
            concurrency,
        } => {
            let branches: Vec<_> = branches.iter().map(|(n, at)| format!("{n}={at}")).collect();
            format!("batch {} {}", branches.join(","), cap(*concurrency))
        }
        Op::Branch {
            cases,
            otherwise,
            all,
            is_match,
        } => {
            let cases: Vec<_> = cases
                .iter()
                .map(|(c, at)| format!("{}={at}", c.name.as_deref().unwrap_or("?")))
                .collect();
            let name = if *is_match { "match" } else { "if" };
            let mode = if *all { "all" } else { "first" };
            format!("{name} {mode} {} else={otherwise}", cases.join(","))
        }
        Op::End => "end".to_owned(),
        Op::Pass => "pass".to_owned(),
        Op::Collect { join, slot } => {
            let join = joins.get(*join as usize);
            let name = join.and_then(|join| join.name.as_deref());
            let slot = join.and_then(|join| join.slots.get(*slot as usize));
            format!(
                "collect {} {}",
                name.unwrap_or_default(),
                slot.map(String::as_str).unwrap_or_default()
            )
        }
        Op::SubFlow(child) => {
            let fingerprint = child.definition.as_ref().map_or("", |d| &d.fingerprint);
            format!("sub_flow {} {fingerprint}", child.flow.name())
        }
        Op::InterventionPoint(target) => format!("intervention_point {target}"),
    };
    let next: Vec<_> = node.next.iter().map(ToString::to_string).collect();
    format!("#{index} {what} -> {}", next.join(","))
}

fn cap(concurrency: usize) -> String {
    if concurrency == usize::MAX {
        "unlimited".to_owned()
    } else {
        concurrency.to_string()
    }
}
