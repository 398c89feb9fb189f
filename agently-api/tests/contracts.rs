//! The promises that hold for every public type: object safety, `Send`, `Sync`, `Unpin`, and what
//! may be printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::error::Error as _;
use std::path::Path as FilePath;
use std::time::Duration;

use agently_api::data::{
    AttemptMeta, AttemptState, AttemptStatus, CompletionSource, DeltaText, EventType, Node, Path,
    ResultMeta, Segment, StreamingData, TextView, Timings, ValueView, Warning, WarningKind,
};
use agently_api::error::{FailedAttempt, ProviderError, ProviderErrorKind};
use agently_api::model::{
    CallContext, Capabilities, EventStream, FinishReason, ImageDetail, ImageSource, Message,
    ModelEvent, ModelProvider, ModelRequest, OutputContract, Part, RawEvent, ResponseInfo, Role,
    ToolCall, ToolCallDelta, ToolSpec, Usage,
};
use agently_api::rt::{
    BlockingInAsync, BoxIo, Clock, Connector, Elapsed, Executor, Io, JoinError, JoinErrorKind,
    Runtime, RuntimeId, Sleep, SpawnError, Task, Timeout,
};
use agently_api::secret::Secret;
use agently_api::sink::{
    AsyncFnSink, ChannelSink, ChannelStream, Collect, Compact, FanOut, FnSink, FromSink,
    JsonLinesWriter, Map, Null, SinkClosed, SseWriter, StreamSink, TrySendError,
};

/// Compiles only if each trait can be a `dyn`.
#[expect(dead_code, reason = "compiling is the assertion")]
fn object_safe(
    _: &dyn ModelProvider,
    _: &dyn Executor,
    _: &dyn Clock,
    _: &dyn Connector,
    _: &dyn Io,
    _: &dyn StreamSink<StreamingData>,
) {
}

fn is_shared<T: Send + Sync + Unpin + 'static>() {}
fn is_owned<T: Send + Unpin + 'static>() {}
fn printable<T: std::fmt::Debug>() {}
fn error<T: std::error::Error + Send + Sync + 'static>() {}

/// Names its types, asserting `Send + Sync + Unpin` and `Debug` of each.
macro_rules! shared {
    ($($type:ty),* $(,)?) => {{
        $(is_shared::<$type>(); printable::<$type>();)*
        [$(stringify!($type)),*]
    }};
}

/// Names its types, asserting `Send + Unpin` and `Debug` of each: one owner at a time.
macro_rules! owned {
    ($($type:ty),* $(,)?) => {{
        $(is_owned::<$type>(); printable::<$type>();)*
        [$(stringify!($type)),*]
    }};
}

/// The names of the public structs and enums declared under `folder`.
fn declared(folder: &FilePath, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            declared(&path, names);
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let name = line
                .strip_prefix("pub struct ")
                .or_else(|| line.strip_prefix("pub enum "));
            if let Some(name) = name {
                let end = name.find(|c: char| !c.is_alphanumeric()).unwrap();
                names.insert(name[..end].to_owned());
            }
        }
    }
}

#[test]
fn every_public_type_can_move_between_threads_and_be_printed() {
    let shared = shared![
        AttemptMeta,
        AttemptState,
        AttemptStatus,
        BlockingInAsync,
        CallContext,
        Capabilities,
        ChannelSink<StreamingData>,
        ChannelStream<StreamingData>,
        Collect<StreamingData>,
        Compact<StreamingData>,
        CompletionSource,
        DeltaText,
        Elapsed,
        EventType,
        FailedAttempt,
        FinishReason,
        ImageDetail,
        ImageSource,
        JoinError,
        JoinErrorKind,
        JsonLinesWriter<Vec<u8>>,
        Message,
        ModelEvent,
        ModelRequest,
        Node,
        Null,
        OutputContract,
        Part,
        Path,
        ProviderError,
        ProviderErrorKind,
        RawEvent,
        ResponseInfo,
        ResultMeta,
        Role,
        Runtime,
        RuntimeId,
        Secret,
        Segment,
        SinkClosed,
        SpawnError,
        StreamingData,
        Task<StreamingData>,
        TextView,
        Timings,
        ToolCall,
        ToolCallDelta,
        ToolSpec,
        TrySendError<StreamingData>,
        Usage,
        ValueView,
        Warning,
        WarningKind,
        AsyncFnSink<fn(u8)>,
        FnSink<fn(u8)>,
        FromSink<ChannelSink<u8>, std::io::Error>,
        Map<Null, fn(u8) -> u8>,
    ];
    let owned = owned![
        EventStream,
        FanOut<StreamingData>,
        Sleep,
        SseWriter<Vec<u8>, StreamingData>,
        Timeout<std::future::Ready<()>>,
    ];
    is_owned::<BoxIo>();

    let listed: BTreeSet<String> = shared
        .iter()
        .chain(&owned)
        .map(|name| name.split('<').next().unwrap().trim().to_owned())
        .collect();
    let mut names = BTreeSet::new();
    declared(
        &FilePath::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut names,
    );
    assert!(names.len() > 40, "the scan found only {names:?}");
    let missing: Vec<_> = names.difference(&listed).collect();
    assert!(missing.is_empty(), "not asserted above: {missing:?}");
}

#[test]
fn errors_can_be_boxed_and_sent() {
    error::<BlockingInAsync>();
    error::<Elapsed>();
    error::<JoinError>();
    error::<ProviderError>();
    error::<SinkClosed>();
    error::<SpawnError>();
    error::<TrySendError<StreamingData>>();
}

#[test]
fn a_secret_is_printed_by_nobody() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "read by `Debug`")]
    struct Settings {
        name: &'static str,
        key: Option<Secret>,
    }
    let settings = Settings {
        name: "main",
        key: Some(Secret::from("sk-very-secret".to_owned())),
    };
    for text in [format!("{settings:?}"), format!("{settings:#?}")] {
        assert!(text.contains("main"), "{text}");
        assert!(!text.contains("sk-"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
    assert_eq!(settings.key.unwrap().expose(), "sk-very-secret");
    // Its length is nobody's business either.
    assert_eq!(
        format!("{:?}", Secret::from("")),
        format!("{:?}", Secret::from("a long one"))
    );
}

#[test]
fn a_channel_error_does_not_show_the_item_that_was_refused() {
    let error = TrySendError::Full("a private prompt");
    assert!(!format!("{error:?} {error}").contains("private"));
    assert_eq!(error.into_item(), "a private prompt");
}

#[test]
fn a_provider_error_says_what_happened_and_what_to_do_and_leaves_causes_to_source() {
    let first = ProviderError::new(ProviderErrorKind::Connect, "no connection to api.test:443");
    let error = ProviderError::new(ProviderErrorKind::RateLimited, "too many requests")
        .with_status(429)
        .with_request_id("req_1")
        .with_hint("wait, or ask for a higher limit")
        .with_retry_after(Duration::from_secs(2))
        .with_attempts(vec![first.to_attempt()])
        .with_source("the level below");
    assert_eq!(
        error.to_string(),
        "too many requests (after 2 tries) [request id req_1]; wait, or ask for a higher limit"
    );
    assert_eq!(error.source().unwrap().to_string(), "the level below");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
    assert_eq!(error.attempts()[0].kind, ProviderErrorKind::Connect);
}

#[test]
fn what_costs_money_twice_or_cannot_get_better_is_not_retried() {
    for kind in [
        ProviderErrorKind::Config,
        ProviderErrorKind::Tls,
        ProviderErrorKind::Deadline,
        ProviderErrorKind::Quota,
        ProviderErrorKind::Length,
        ProviderErrorKind::Cancelled,
        ProviderErrorKind::Other,
    ] {
        assert!(!ProviderError::new(kind, "").is_retryable(), "{kind:?}");
    }
    for kind in [
        ProviderErrorKind::Connect,
        ProviderErrorKind::IdleTimeout,
        ProviderErrorKind::Truncated,
    ] {
        assert!(ProviderError::new(kind, "").is_retryable(), "{kind:?}");
    }
    let told = ProviderError::new(ProviderErrorKind::Provider, "").with_retryable(true);
    assert!(told.is_retryable());
}
