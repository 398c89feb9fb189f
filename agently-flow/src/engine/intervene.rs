//! Guidance from outside for chunks that have not run yet.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Engine;
use crate::error::{Error, ErrorKind, Result};

/// How far an intervention has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InterventionStatus {
    /// It waits for its point.
    Pending,
    /// Chunks can see it.
    Inserted,
    /// A chunk has dealt with it.
    Consumed,
    /// The execution closed first.
    Expired,
}

/// Guidance from outside, in the ledger of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Intervention {
    /// Its number in the execution.
    pub id: u64,
    /// What it says.
    pub payload: Value,
    /// The intervention point it is meant for; none for the next chunk.
    pub target: Option<String>,
    /// How far it has come.
    pub status: InterventionStatus,
}

/// A new intervention.
#[derive(Clone, Debug)]
pub(crate) struct Guidance {
    pub(crate) payload: Value,
    pub(crate) target: Option<String>,
}

impl Engine {
    pub(crate) fn intervene(&mut self, guidance: Guidance) -> Result<u64> {
        self.check_open("intervene")?;
        self.touch();
        let id = self.next_sequence();
        self.interventions.push(Intervention {
            id,
            payload: guidance.payload,
            target: guidance.target,
            status: InterventionStatus::Pending,
        });
        self.pump();
        Ok(id)
    }

    /// A point for `target` was passed, or, without one, a chunk begins.
    pub(super) fn insert_interventions(&mut self, target: Option<&str>) {
        for intervention in &mut self.interventions {
            if intervention.status == InterventionStatus::Pending
                && intervention.target.as_deref() == target
            {
                intervention.status = InterventionStatus::Inserted;
            }
        }
    }

    pub(crate) fn interventions(&self) -> &[Intervention] {
        &self.interventions
    }

    pub(crate) fn consume_intervention(&mut self, id: u64) -> Result<()> {
        let found = self
            .interventions
            .iter_mut()
            .find(|intervention| intervention.id == id);
        match found {
            Some(intervention) => {
                intervention.status = InterventionStatus::Consumed;
                Ok(())
            }
            None => Err(Error::new(
                ErrorKind::UnknownIntervention,
                format!("no intervention has the id {id}"),
            )),
        }
    }
}
