//! Waiting, trying again and giving up, on the runtime's clock: an hour costs nothing here.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::future::Future;
use std::time::Duration;

use agently::mock::{MockProvider, Reply};
use agently::openai::{OpenAi, RetryPolicy, Timeouts};
use agently::prelude::*;
use agently::types::error::ProviderErrorKind as Kind;
use agently::types::rt::Runtime;
use agently_testkit::det::Det;
use support::det_http::{
    answer, end_events, response, serve, stream_head, text_event, Seen, Step, BASE_URL,
};
use support::{agent, assert_says, in_virtual_time, open_ai, seed, seed_data, SEED_ANSWER};

const SECOND: Duration = Duration::from_secs(1);

/// Runs a test against a server with these scripts, on several orders of events.
fn with_server<F: Future<Output = ()>>(scripts: &[Vec<Step>], test: impl Fn(Runtime, Seen) -> F) {
    for seed in 0..20 {
        let det = Det::new(seed);
        let seen = serve(&det, scripts.to_vec());
        det.block_on(test(det.runtime(), seen))
            .unwrap_or_else(|stuck| panic!("{stuck}"));
    }
}

/// An agent with the default retry policy.
fn patient(runtime: &Runtime) -> Agent {
    let provider = open_ai(BASE_URL).retry(RetryPolicy::default());
    agent(runtime, provider.build().unwrap())
}

fn busy(headers: &str) -> Vec<Step> {
    response(
        "429 Too Many Requests",
        headers,
        r#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#,
    )
}

fn broken() -> Vec<Step> {
    response("500 Internal Server Error", "", r#"{"error":"oops"}"#)
}

#[test]
fn retry_after_is_waited_for_and_a_little_more() {
    let scripts = [busy("retry-after: 20\r\n"), answer(SEED_ANSWER)];
    with_server(&scripts, |runtime, seen| async move {
        let result = seed(&patient(&runtime)).get_result();
        assert_eq!(result.async_get_data().await.unwrap(), seed_data());
        let times = seen.times();
        assert_eq!(times.len(), 2);
        // Those who failed together do not come back together.
        let waited = times[1] - times[0];
        assert!((20 * SECOND..=22 * SECOND).contains(&waited), "{waited:?}");
        // It was the way that failed, not the answer: one attempt.
        let meta = result.async_get_meta().await.unwrap();
        assert_eq!(meta.attempts.len(), 1);
        assert!(meta.timings.to_first_token.unwrap() >= 20 * SECOND);
    });
}

#[test]
fn without_retry_after_the_waits_are_short() {
    let scripts = [busy(""), broken(), answer(SEED_ANSWER)];
    with_server(&scripts, |runtime, seen| async move {
        assert_eq!(seed(&patient(&runtime)).await.unwrap(), seed_data());
        let times = seen.times();
        assert_eq!(times.len(), 3);
        assert!(times[1] - times[0] <= SECOND / 2);
        assert!(times[2] - times[1] <= SECOND);
    });
}

#[test]
fn three_tries_and_no_more() {
    with_server(&[busy("")], |runtime, seen| async move {
        let error = seed(&patient(&runtime)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider(Kind::RateLimited));
        assert_says(&error, &["slow down", "after 3 tries"]);
        let earlier = error.provider().unwrap().attempts();
        let statuses: Vec<_> = earlier.iter().map(|attempt| attempt.status).collect();
        assert_eq!(statuses, [Some(429), Some(429)]);
        assert_eq!(seen.times().len(), 3);
    });
}

#[test]
fn a_wait_of_an_hour_is_left_to_the_caller() {
    with_server(
        &[busy("retry-after: 3600\r\n")],
        |runtime, seen| async move {
            let began = runtime.now();
            let error = seed(&patient(&runtime)).await.unwrap_err();
            assert_eq!(error.retry_after(), Some(3600 * SECOND));
            assert!(error.is_retryable());
            assert_eq!(seen.times().len(), 1);
            assert_eq!(runtime.now(), began);
        },
    );
}

#[test]
fn what_cannot_get_better_is_not_tried_again() {
    let scripts = [response(
        "401 Unauthorized",
        "",
        r#"{"error":{"message":"no","code":"invalid_api_key"}}"#,
    )];
    with_server(&scripts, |runtime, seen| async move {
        seed(&patient(&runtime)).await.unwrap_err();
        assert_eq!(seen.times().len(), 1);
    });
}

#[test]
fn after_a_delta_nothing_is_sent_again() {
    // The connection ends in the middle of the answer.
    let scripts = [vec![stream_head(), text_event(r#"{"title":"As"#)]];
    with_server(&scripts, |runtime, seen| async move {
        let result = seed(&patient(&runtime)).get_result();
        let error = result.async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider(Kind::Truncated));
        assert_eq!(result.partial_text(), r#"{"title":"As"#);
        assert_eq!(seen.times().len(), 1);
    });
}

#[test]
fn before_a_delta_it_is() {
    let scripts = [vec![stream_head()], answer(SEED_ANSWER)];
    with_server(&scripts, |runtime, seen| async move {
        let result = seed(&patient(&runtime)).get_result();
        let items = support::instant_items(&result).await;
        // A reader sees nothing of the first try.
        assert!(items.iter().all(|item| item.attempt == 1));
        assert_eq!(result.async_get_data().await.unwrap(), seed_data());
        assert_eq!(seen.times().len(), 2);
    });
}

#[test]
fn fields_come_at_the_moment_they_are_sent() {
    let mut script = vec![stream_head()];
    for piece in [r#"{"title":"As"#, r#"ync","ite"#, r#"ms":["one"]}"#] {
        script.extend([Step::Sleep(5 * SECOND), text_event(piece)]);
    }
    script.push(end_events());
    with_server(&[script], |runtime, _seen| async move {
        let began = runtime.now();
        let result = seed(&patient(&runtime)).get_result();
        let mut events = result.get_async_generator(Instant);
        let mut told = Vec::new();
        while let Some(item) = events.next().await {
            let at = runtime.now() - began;
            told.push((at.as_secs(), support::line(&item.unwrap())));
        }
        let told: Vec<_> = told.iter().map(|(at, line)| (*at, line.as_str())).collect();
        assert_eq!(
            told,
            [
                (5, "title + As"),
                (10, "title + ync"),
                (10, r#"title = "Async""#),
                (15, "items[0] + one"),
                (15, r#"items[0] = "one""#),
                (15, r#"items = ["one"]"#),
                (15, r#"$status "completed" retry=false"#),
            ]
        );
        let timings = result.async_get_meta().await.unwrap().timings;
        assert_eq!(timings.to_first_field, Some(5 * SECOND));
        assert_eq!(timings.total, Some(15 * SECOND));
    });
}

/// A provider with these limits that tries once.
fn limited(timeouts: Timeouts) -> OpenAi {
    open_ai(BASE_URL).timeouts(timeouts).build().unwrap()
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    let script = vec![stream_head(), text_event(r#"{"title":"As"#), Step::Stall];
    with_server(&[script], |runtime, _seen| async move {
        let began = runtime.now();
        let provider = limited(Timeouts::default().with_idle(30 * SECOND));
        let result = seed(&agent(&runtime, provider)).get_result();
        let error = result.async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider(Kind::IdleTimeout));
        assert_says(&error, &["30s"]);
        assert_eq!(runtime.now() - began, 30 * SECOND);
        assert_eq!(result.partial_text(), r#"{"title":"As"#);
    });
}

#[test]
fn a_server_that_says_nothing_at_all_is_given_up() {
    with_server(&[vec![Step::Stall]], |runtime, _seen| async move {
        let began = runtime.now();
        let provider = limited(Timeouts::default().with_headers(7 * SECOND));
        let error = seed(&agent(&runtime, provider)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider(Kind::HeadersTimeout));
        assert_eq!(runtime.now() - began, 7 * SECOND);
    });
}

#[test]
fn the_default_limits_end_every_silence() {
    let silences = [
        vec![Step::Stall],
        vec![stream_head(), Step::Stall],
        vec![stream_head(), text_event("x"), Step::Stall],
    ];
    for silence in silences {
        with_server(&[silence], |runtime, _seen| async move {
            let began = runtime.now();
            let error = seed(&patient(&runtime)).await.unwrap_err();
            assert!(error.is_retryable());
            assert!(runtime.now() - began < 3600 * SECOND);
        });
    }
}

#[test]
fn the_time_limit_of_a_request_is_kept_to_the_moment() {
    let slow = vec![stream_head(), text_event("x"), Step::Stall];
    with_server(&[slow], |runtime, _seen| async move {
        let began = runtime.now();
        let result = patient(&runtime)
            .input("Hi.")
            .timeout(9 * SECOND)
            .get_result();
        let error = result.async_get_text().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider(Kind::Deadline));
        assert_eq!(runtime.now() - began, 9 * SECOND);
        assert_eq!(result.partial_text(), "x");
    });
}

#[test]
fn a_wait_beyond_the_deadline_is_not_begun() {
    with_server(&[busy("retry-after: 20\r\n")], |runtime, seen| async move {
        let began = runtime.now();
        let request = seed(&patient(&runtime)).timeout(10 * SECOND);
        let error = request.await.unwrap_err();
        // What the server said stands; the deadline is only why nothing more was tried.
        assert_eq!(error.kind(), ErrorKind::Provider(Kind::RateLimited));
        assert_eq!(error.retry_after(), Some(20 * SECOND));
        assert_eq!(seen.times().len(), 1);
        assert_eq!(runtime.now(), began);
    });
}

#[test]
fn the_time_limit_counts_from_the_first_read_over_all_attempts() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new()
            .reply(Reply::text("{}").first_delay(4 * SECOND))
            .repeat_last();
        let result = seed(&agent(&runtime, mock.clone()))
            .timeout(10 * SECOND)
            .get_result();
        // Not from the moment at which it was written.
        runtime.sleep(60 * SECOND).await;
        let began = runtime.now();
        let error = result.async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider(Kind::Deadline));
        assert_eq!(runtime.now() - began, 10 * SECOND);
        assert_eq!(mock.requests().len(), 3);
        assert_eq!(mock.active(), 0);
    });
}
