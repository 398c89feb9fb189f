//! Which tool call a piece belongs to.

use serde_json::{Map, Value};

use agently_api::model::ToolCallDelta;

use super::response::{Arguments, ToolCallBody};
use super::shape::Shape;
use super::surrogate::{plain, plain_value, Joiner};

/// Puts the pieces of tool calls in order: every call gets an index, an id and a name that stay.
#[derive(Debug, Default)]
pub(crate) struct ToolCalls {
    slots: Vec<Slot>,
    /// The slot that pieces without index and id belong to.
    current: Option<usize>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Slot {
    wire_index: Option<u64>,
    /// The server's id.
    id: Option<String>,
    /// Set once the first delta went out; nothing goes out before the name is known.
    named: Option<String>,
    /// Arguments and other fields that came before the name.
    held: String,
    extra: Map<String, Value>,
    joiner: Joiner,
    shape: Shape,
    /// The arguments came as a value, so all of them are there.
    whole: bool,
}

/// Why a piece was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    TooManyCalls,
    ArgumentsTooLong,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) calls: usize,
    pub(crate) argument_bytes: usize,
    pub(crate) id_seed: u64,
}

impl ToolCalls {
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether the arguments of some call are not all there.
    pub(crate) fn any_open(&self) -> bool {
        self.slots
            .iter()
            .any(|slot| !slot.whole && slot.shape.is_open())
    }

    /// Takes the pieces of one chunk.
    pub(crate) fn push(
        &mut self,
        pieces: impl IntoIterator<Item = ToolCallBody>,
        marked: bool,
        bounds: Bounds,
        replaced: &mut bool,
        emit: &mut impl FnMut(ToolCallDelta),
    ) -> Result<(), Refused> {
        // A call begun by an earlier piece of the same chunk: servers that give neither index nor
        // id send whole calls, one beside the other.
        let mut begun_here: Option<usize> = None;
        for piece in pieces {
            let at = self.slot_for(&piece, begun_here, bounds)?;
            begun_here = Some(at);
            self.current = Some(at);
            let Some(slot) = self.slots.get_mut(at) else {
                continue;
            };
            let delta = slot.take(piece, at, marked, bounds, replaced);
            if let Some(delta) = delta {
                self.bytes = self.bytes.saturating_add(delta.arguments.len());
                emit(delta);
            }
            let held: usize = self.slots.iter().map(|slot| slot.held.len()).sum();
            if self.bytes.saturating_add(held) > bounds.argument_bytes {
                return Err(Refused::ArgumentsTooLong);
            }
        }
        Ok(())
    }

    fn slot_for(
        &mut self,
        piece: &ToolCallBody,
        begun_here: Option<usize>,
        bounds: Bounds,
    ) -> Result<usize, Refused> {
        let found = match (piece.index, &piece.id) {
            (Some(index), _) if index >= bounds.calls as u64 => return Err(Refused::TooManyCalls),
            (Some(index), id) => self
                .slots
                .iter()
                .rposition(|slot| slot.wire_index == Some(index))
                .filter(|at| !self.begins_anew(*at, id.as_deref(), piece)),
            (None, Some(id)) => self
                .slots
                .iter()
                .rposition(|slot| slot.id.as_ref() == Some(id))
                .or_else(|| self.current.filter(|at| self.awaits_id(*at, piece))),
            (None, None) => self.current.filter(|at| {
                let Some(slot) = self.slots.get(*at) else {
                    return false;
                };
                let Some(name) = &piece.name else {
                    return true;
                };
                match &slot.named {
                    None => true,
                    Some(_) if begun_here == Some(*at) => false,
                    Some(named) => named == name && !slot.whole && !slot.shape.is_closed(),
                }
            }),
        };
        if let Some(at) = found {
            return Ok(at);
        }
        if self.slots.len() >= bounds.calls {
            return Err(Refused::TooManyCalls);
        }
        self.slots.push(Slot {
            wire_index: piece.index,
            id: piece.id.clone(),
            ..Slot::default()
        });
        Ok(self.slots.len() - 1)
    }

    /// Whether a piece for the slot at a used index is the beginning of another call.
    fn begins_anew(&self, at: usize, id: Option<&str>, piece: &ToolCallBody) -> bool {
        let (Some(slot), Some(id)) = (self.slots.get(at), id) else {
            return false;
        };
        match &slot.id {
            // A piece of arguments under another id: before the end of the arguments, the server
            // makes a new id for every piece.
            Some(known) => {
                let all_there = slot.whole || slot.shape.is_closed();
                known != id && (piece.name.is_some() || all_there)
            }
            // The id comes late: with a name it is another call, else it is taken or passed over.
            None => slot.named.is_some() && piece.name.is_some(),
        }
    }

    fn awaits_id(&self, at: usize, piece: &ToolCallBody) -> bool {
        self.slots.get(at).is_some_and(|slot| {
            slot.id.is_none() && slot.wire_index.is_none() && slot.named.is_none()
                || slot.id.is_none() && piece.name.is_none()
        })
    }

    /// Ends the calls: empty arguments become `{}`. `false` if a call never got a name.
    pub(crate) fn finish(
        &mut self,
        replaced: &mut bool,
        emit: &mut impl FnMut(ToolCallDelta),
    ) -> bool {
        let mut all_named = true;
        for (at, slot) in self.slots.iter_mut().enumerate() {
            if slot.named.is_none() {
                all_named = false;
                continue;
            }
            if slot.joiner.finish() {
                *replaced = true;
                emit(ToolCallDelta::arguments(at, "\u{FFFD}"));
            }
            if !slot.whole && !slot.shape.is_written() {
                slot.whole = true;
                emit(ToolCallDelta::arguments(at, "{}"));
            }
        }
        all_named
    }
}

impl Slot {
    fn take(
        &mut self,
        piece: ToolCallBody,
        at: usize,
        marked: bool,
        bounds: Bounds,
        replaced: &mut bool,
    ) -> Option<ToolCallDelta> {
        let ToolCallBody {
            index: _,
            id,
            name,
            arguments,
            mut extra,
        } = piece;
        let arguments = self.read(arguments, marked, replaced);
        if marked {
            extra.values_mut().for_each(plain_value);
        }
        if self.named.is_some() {
            if arguments.is_empty() && extra.is_empty() {
                return None;
            }
            let mut delta = ToolCallDelta::arguments(at, arguments);
            delta.extra = extra;
            return Some(delta);
        }
        if self.id.is_none() {
            self.id = id;
        }
        self.held.push_str(&arguments);
        self.extra.extend(extra);
        let name = plain(name?.into(), marked);
        self.named = Some(name.clone());
        let id = match &self.id {
            Some(id) => plain(id.as_str().into(), marked),
            None => format!("call_{:016x}_{at}", bounds.id_seed),
        };
        let mut delta = ToolCallDelta::start(at, id, name);
        delta.arguments = std::mem::take(&mut self.held);
        delta.extra = std::mem::take(&mut self.extra);
        Some(delta)
    }

    /// The text that the arguments grow by.
    fn read(&mut self, arguments: Arguments, marked: bool, replaced: &mut bool) -> String {
        match arguments {
            Arguments::Absent => String::new(),
            Arguments::Piece(piece) => {
                let piece = self.joiner.join(piece.into(), marked, replaced);
                self.shape.push(piece.as_bytes());
                piece
            }
            // A value is all of the arguments: what comes after it, or came before, is the same
            // again.
            Arguments::Whole(_) if self.whole || self.shape.is_begun() => String::new(),
            Arguments::Whole(mut value) => {
                if marked {
                    plain_value(&mut value);
                }
                self.whole = true;
                value.to_string()
            }
        }
    }
}
