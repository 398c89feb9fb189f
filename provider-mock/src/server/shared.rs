//! What the server's handle and its threads share.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use agently_api::secret::Secret;

use super::request::RecordedRequest;
use super::wire_reply::WireReply;
use super::{clock, openai};
use crate::reply::Reply;
use crate::script::{lock, Script};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) script: Script<RecordedRequest, WireReply>,
    pub(super) key: Option<Secret>,
    pub(super) connection_time: Duration,
    pub(super) max_connections: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) requests: Vec<RecordedRequest>,
    /// Connections accepted so far.
    pub(super) accepted: usize,
    /// Replies that the client did not wait for.
    pub(super) disconnects: usize,
    /// Second handles of the open connections, to close them when the server stops.
    open: BTreeMap<usize, TcpStream>,
    stopping: bool,
}

impl Shared {
    pub(super) fn new(
        script: Script<RecordedRequest, WireReply>,
        key: Option<Secret>,
        connection_time: Duration,
        max_connections: usize,
    ) -> Self {
        Self {
            script,
            key,
            connection_time,
            max_connections,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Looks at the state.
    pub(super) fn see<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&lock(&self.state))
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut lock(&self.state));
        self.changed.notify_all();
        result
    }

    /// Blocks until the state is as wanted; false if it is not within `limit`.
    pub(super) fn wait(&self, limit: Duration, wanted: impl Fn(&State) -> bool) -> bool {
        // A limit beyond the clock's range is none.
        let until: Option<Instant> = clock::now().checked_add(limit);
        let mut state = lock(&self.state);
        while !wanted(&state) {
            state = match until.map(clock::left_until) {
                Some(None) => return false,
                Some(Some(left)) => {
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
        true
    }

    /// Notes a request, and numbers it from 1.
    pub(super) fn record(&self, request: RecordedRequest) -> usize {
        self.change(|state| {
            state.requests.push(request);
            state.requests.len()
        })
    }

    pub(super) fn client_left(&self) {
        self.change(|state| state.disconnects += 1);
    }

    /// Admits a connection and numbers it from 1, unless there are too many or the server stops.
    pub(super) fn admit(&self, stream: &TcpStream) -> Option<usize> {
        let second = stream.try_clone().ok()?;
        self.change(|state| {
            if state.stopping || state.open.len() >= self.max_connections {
                return None;
            }
            state.accepted += 1;
            state.open.insert(state.accepted, second);
            Some(state.accepted)
        })
    }

    /// Forgets a connection. Its last handle closes the socket.
    pub(super) fn release(&self, number: usize) {
        self.change(|state| state.open.remove(&number));
    }

    pub(super) fn stopping(&self) -> bool {
        self.see(|state| state.stopping)
    }

    /// Blocks for `limit`, or until the server stops.
    pub(super) fn wait_for_stop(&self, limit: Duration) {
        self.wait(limit, |state| state.stopping);
    }

    /// Tells all threads to stop, and ends what they are reading and writing.
    pub(super) fn stop(&self) {
        self.change(|state| {
            state.stopping = true;
            for stream in state.open.values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }

    pub(super) fn open_connections(&self) -> usize {
        self.see(|state| state.open.len())
    }

    /// What a request is answered with.
    pub(super) fn reply_to(&self, request: &RecordedRequest, bearer: Option<&str>) -> WireReply {
        if let Some(key) = &self.key {
            if bearer != Some(key.expose()) {
                let message = "Incorrect API key provided.";
                return WireReply::api_error(401, "invalid_api_key", message);
            }
        }
        let path = request.path.trim_end_matches('/');
        match request.method.as_str() {
            "GET" if path.ends_with("/models") => {
                WireReply::response(200, "application/json").send(openai::models())
            }
            "POST" if path.ends_with("/chat/completions") => self.scripted(request),
            _ => WireReply::api_error(
                404,
                "unknown_url",
                "the mock server knows POST /v1/chat/completions and GET /v1/models",
            ),
        }
    }

    fn scripted(&self, request: &RecordedRequest) -> WireReply {
        if self.script.is_blank() {
            return Reply::demo().into();
        }
        // 400: a client must not try again.
        self.script.next(request).unwrap_or_else(|scripted| {
            let message = format!(
                "the mock server has no reply left: {scripted} were scripted; \
                 add one for every request, retries included, or use repeat_last"
            );
            WireReply::api_error(400, "mock_exhausted", &message)
        })
    }
}
