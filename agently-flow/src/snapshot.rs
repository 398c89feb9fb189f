//! An execution on paper.

use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

use crate::definition::Definition;
use crate::engine::Image;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Digest;
use crate::outcome::Interrupt;
use crate::shared::Shared;

const FORMAT: &str = "agently-flow";
const VERSION: u64 = 1;

/// A saved execution: JSON, for a file or a database.
///
/// | field | what it holds |
/// |---|---|
/// | `format` | `"agently-flow"` |
/// | `version` | 1 |
/// | `flow` | the flow's name |
/// | `fingerprint` | of its definition: names, operators, positions |
/// | `stages` | the definition, one line a stage |
/// | `execution` | the execution's id |
/// | `body` | the engine's state |
/// | `checksum` | over all the others |
///
/// It holds the execution's values, and no resources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot(Value);

impl Snapshot {
    /// A snapshot from its JSON text.
    ///
    /// # Errors
    ///
    /// Kind [`SnapshotDamaged`](ErrorKind::SnapshotDamaged) if it is no JSON.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| {
            Error::with_source(
                ErrorKind::SnapshotDamaged,
                "the snapshot is damaged: it is no JSON",
                error,
            )
        })
    }

    /// Its JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.0.to_string()
    }

    pub(crate) fn take(shared: &Shared) -> Result<Self> {
        let (body, definition) = shared.with(|engine| (engine.save(), engine.definition()));
        let body = body.map_err(|error| {
            Error::with_source(
                ErrorKind::Type,
                "the execution cannot be written as JSON",
                error,
            )
        })?;
        let mut snapshot = json!({
            "format": FORMAT,
            "version": VERSION,
            "flow": &*definition.name,
            "fingerprint": definition.fingerprint,
            "stages": definition.stages,
            "execution": shared.id,
            "body": body,
        });
        let sum = checksum(&snapshot);
        if let Some(fields) = snapshot.as_object_mut() {
            fields.insert("checksum".to_owned(), Value::String(sum));
        }
        Ok(Self(snapshot))
    }

    pub(crate) fn damaged() -> Error {
        Error::new(
            ErrorKind::SnapshotDamaged,
            "the snapshot is damaged: what it holds does not fit together; load an older one",
        )
    }

    pub(crate) fn execution_id(&self) -> String {
        self.text("execution").to_owned()
    }

    fn text(&self, field: &str) -> &str {
        self.0
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether it is whole and of a version we know; its body.
    fn read(&self) -> Result<Image> {
        let version = self.0.get("version").and_then(Value::as_u64);
        if self.text("format") != FORMAT || version != Some(VERSION) {
            let version = version.map_or("none".to_owned(), |version| version.to_string());
            return Err(Error::new(
                ErrorKind::SnapshotVersion,
                format!(
                    "the snapshot is of format `{}`, version {version}; this build reads `{FORMAT}`, \
                     version {VERSION}",
                    self.text("format")
                ),
            ));
        }
        if self.text("checksum") != checksum(&self.0) {
            return Err(Error::new(
                ErrorKind::SnapshotDamaged,
                "the snapshot is damaged: its checksum is wrong; load an older one",
            ));
        }
        let body = self.0.get("body").unwrap_or(&Value::Null);
        Image::deserialize(body).map_err(|error| {
            Error::with_source(
                ErrorKind::SnapshotDamaged,
                "the snapshot is damaged: its body cannot be read",
                error,
            )
        })
    }

    fn changed(&self, definition: &Definition) -> Vec<String> {
        let saved: Vec<_> = self
            .0
            .get("stages")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let most = saved.len().max(definition.stages.len());
        let mut changed = Vec::new();
        for place in 0..most {
            let (old, new) = (saved.get(place), definition.stages.get(place));
            match (old, new) {
                (Some(old), Some(new)) if old != new => {
                    changed.push(format!("`{old}` is now `{new}`"));
                }
                (Some(old), None) => changed.push(format!("`{old}` is gone")),
                (None, Some(new)) => changed.push(format!("`{new}` is new")),
                _ => {}
            }
        }
        if changed.is_empty() && self.text("fingerprint") != definition.fingerprint {
            changed.push("its fingerprint".to_owned());
        }
        changed
    }

    pub(crate) fn image(&self, definition: &Definition) -> Result<Image> {
        let image = self.read()?;
        let changed = self.changed(definition);
        if !changed.is_empty() {
            return Err(Error::new(
                ErrorKind::DefinitionChanged,
                format!(
                    "the snapshot belongs to another definition of flow `{}`: {}; load it with the \
                     definition it was saved with",
                    definition.name,
                    changed.join(", ")
                ),
            ));
        }
        Ok(image)
    }

    pub(crate) fn inspect(
        &self,
        definition: &Definition,
        missing_resources: Vec<String>,
    ) -> Result<LoadReport> {
        let image = self.read()?;
        let name = |node| {
            definition
                .node(node)
                .map_or_else(|| format!("#{node}"), |node| node.name.to_string())
        };
        Ok(LoadReport {
            execution_id: self.execution_id(),
            changed_stages: self.changed(definition),
            missing_resources,
            pending_interrupts: image.interrupts().iter().map(Interrupt::of).collect(),
            undispatched_resumes: image.undispatched(),
            unfinished_steps: image.running().into_iter().map(name).collect(),
        })
    }
}

/// What loading a snapshot would find.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoadReport {
    /// The execution's id.
    pub execution_id: String,
    /// Stages that differ from the flow's; with any, it cannot be loaded.
    pub changed_stages: Vec<String>,
    /// Required resources that are not there; with any, it cannot be loaded.
    pub missing_resources: Vec<String>,
    /// Pauses that wait for an answer.
    pub pending_interrupts: Vec<Interrupt>,
    /// Pauses that were answered, and whose branches have not gone on yet.
    pub undispatched_resumes: Vec<String>,
    /// The stages of steps that will run, or run again.
    pub unfinished_steps: Vec<String>,
}

impl LoadReport {
    /// Whether it can be loaded.
    #[must_use]
    pub fn is_loadable(&self) -> bool {
        self.changed_stages.is_empty() && self.missing_resources.is_empty()
    }
}

fn checksum(snapshot: &Value) -> String {
    let mut digest = Digest::new();
    for field in ["flow", "fingerprint", "stages", "execution", "body"] {
        digest.text(field);
        digest.value(snapshot.get(field).unwrap_or(&Value::Null));
    }
    format!("{:016x}", digest.finish())
}
