//! Time limits and waits at their real lengths, in virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently_api::error::ProviderErrorKind as Kind;
use agently_api::model::{CallContext, Message, ModelEvent, ModelProvider, ModelRequest};
use agently_provider_openai::{RetryBudget, RetryPolicy, Timeouts};
use agently_testkit::det::Det;
use support::script::{call, end, event, play, provider, seconds, start, Script, HEAD};
use support::{delta, finish, text};

#[test]
fn the_default_is_two_more_tries_within_a_second_and_a_half() {
    for _ in 0..20 {
        let seen = call(vec![], RetryPolicy::default(), true);
        assert_eq!(seen.requests, 3);
        assert_eq!(seen.error.as_ref().unwrap().attempts().len(), 2);
        assert!(seen.took <= Duration::from_millis(1_500), "{:?}", seen.took);
    }
}

#[test]
fn d06_retry_after_is_waited_for() {
    for (header, wait) in [
        ("retry-after: 30", seconds(30)),
        ("retry-after: 1.5", Duration::from_millis(1_500)),
        ("retry-after-ms: 2500", Duration::from_millis(2_500)),
        ("retry-after: Thu, 01 Jan 2026 00:00:45 GMT", seconds(45)),
        ("retry-after: 120", seconds(120)),
    ] {
        let busy = Script::status(&format!("429 Too Many Requests\r\n{header}"));
        let seen = call(vec![busy, Script::answer()], RetryPolicy::default(), true);
        assert!(seen.error.is_none(), "{header}: {:?}", seen.error);
        // Never sooner; a little later, so that those who were sent away together do not come back
        // together.
        let latest = wait + wait / 10;
        assert!(
            (wait..=latest).contains(&seen.took),
            "{header}: {:?}",
            seen.took
        );
    }
}

#[test]
fn d07_waits_that_say_nothing_or_too_much() {
    for header in [
        "retry-after: -5",
        "retry-after: soon",
        "retry-after: Thu, 01 Jan 2015 00:00:00 GMT",
    ] {
        let busy = Script::status(&format!("429 Too Many Requests\r\n{header}"));
        let seen = call(vec![busy, Script::answer()], RetryPolicy::default(), true);
        assert!(seen.error.is_none(), "{header}: {:?}", seen.error);
        assert!(
            seen.took <= Duration::from_millis(500),
            "{header}: {:?}",
            seen.took
        );
    }
    for header in [
        "retry-after: 121",
        "retry-after: 9999999999",
        "retry-after: Mon, 01 Jan 2035 00:00:00 GMT",
    ] {
        let busy = Script::status(&format!("429 Too Many Requests\r\n{header}"));
        let seen = call(vec![busy, Script::answer()], RetryPolicy::default(), true);
        assert_eq!(seen.kind(), Some(Kind::RateLimited), "{header}");
        assert_eq!(seen.requests, 1, "{header}");
        assert!(
            seen.error.unwrap().retry_after() > Some(seconds(120)),
            "{header}"
        );
    }
}

#[test]
fn d15_headers_that_never_come() {
    let seen = call(vec![Script::default().hold()], RetryPolicy::never(), true);
    assert_eq!(seen.kind(), Some(Kind::HeadersTimeout));
    assert_eq!(seen.took, seconds(120));
    assert!(
        seen.error.unwrap().maybe_billed(),
        "the request had gone out"
    );
}

#[test]
fn an_answer_in_one_piece_may_take_longer_to_begin() {
    let whole = r#"{"choices":[{"message":{"content":"All"},"finish_reason":"stop"}]}"#;
    let late = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{whole}",
        whole.len()
    );
    let seen = call(
        vec![Script::default().after(seconds(500), late)],
        RetryPolicy::never(),
        false,
    );
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!(seen.took, seconds(500));
}

#[test]
fn i01_silence_within_the_answer() {
    let silent = Script::new(HEAD)
        .after(Duration::ZERO, event(&text("Hi")))
        .hold();
    let seen = call(vec![silent], RetryPolicy::default(), true);
    assert_eq!(seen.kind(), Some(Kind::IdleTimeout));
    assert_eq!(seen.took, seconds(120));
    assert_eq!(seen.requests, 1, "a delta had reached the caller");
}

#[test]
fn i02_signs_of_life_without_end() {
    for alive in [
        ": keep-alive\n\n",
        "data:\n\n",
        "\n",
        "data: : PROCESSING\n\n",
    ] {
        let mut script = Script::new(HEAD).after(Duration::ZERO, event(&text("Hi")));
        for _ in 0..100 {
            script = script.after(seconds(15), alive);
        }
        let seen = call(vec![script.hold()], RetryPolicy::default(), true);
        assert_eq!(seen.kind(), Some(Kind::NoProgress), "{alive:?}");
        assert_eq!(seen.took, seconds(600), "{alive:?}");
    }
}

#[test]
fn i02_a_queue_that_ends_in_time_is_fine() {
    let mut script = Script::new(HEAD);
    for _ in 0..35 {
        script = script.after(seconds(15), ": keep-alive\n\n");
    }
    let seen = call(
        vec![script.after(seconds(15), end())],
        RetryPolicy::never(),
        true,
    );
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!(seen.took, seconds(540));
}

#[test]
fn i03_a_slow_drip_is_fine() {
    let mut script = Script::new(HEAD);
    for byte in end().chars() {
        script = script.after(seconds(1), byte);
    }
    let seen = call(vec![script], RetryPolicy::never(), true);
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert!(seen.took > seconds(100));
}

#[test]
fn i04_a_long_healthy_answer_has_no_hidden_limit() {
    let mut script = Script::new(HEAD);
    for _ in 0..60 {
        script = script.after(seconds(60), event(&text("on and on ")));
    }
    let seen = call(
        vec![script.after(seconds(60), end())],
        RetryPolicy::never(),
        true,
    );
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!(seen.took, seconds(61 * 60));
    let texts = seen
        .events
        .iter()
        .filter(|event| matches!(event, ModelEvent::TextDelta(_)));
    assert_eq!(texts.count(), 61);
}

#[test]
fn a22_the_answer_does_not_wait_for_the_connection_to_close() {
    let open = Script::new(HEAD).after(Duration::ZERO, end()).hold();
    let seen = call(vec![open], RetryPolicy::never(), true);
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!(seen.took, Duration::ZERO);
}

#[test]
fn i08_many_callers_do_not_drown_a_server_that_is_down() {
    let det = Det::new(5);
    let requests = start(&det, vec![]);
    let runtime = det.runtime();
    let provider = provider(RetryPolicy::default()).build().unwrap();
    let failed = det
        .block_on(async {
            let calls = (0..1_000).map(|_| {
                let provider = provider.clone();
                let context = CallContext::new(runtime.clone());
                async move {
                    let request = ModelRequest::new(vec![Message::user("Hello")]);
                    provider.stream(request, context).await.is_err()
                }
            });
            futures_util::future::join_all(calls).await
        })
        .unwrap();
    assert!(failed.iter().all(|failed| *failed));
    let requests = *requests.lock().unwrap();
    assert!((1_000..=1_200).contains(&requests), "{requests}");
}

#[test]
fn d10_one_moment_of_too_much_fails_nobody() {
    let busy = || Script::status("429 Too Many Requests\r\nretry-after-ms: 200");
    let det = Det::new(7);
    let scripts = (0..400).map(|at| match at {
        0..200 => busy(),
        _ => Script::answer(),
    });
    let requests = start(&det, scripts.collect());
    let runtime = det.runtime();
    let provider = provider(RetryPolicy::default()).build().unwrap();
    let failed = det
        .block_on(async {
            let calls = (0..200).map(|_| {
                let provider = provider.clone();
                let context = CallContext::new(runtime.clone());
                async move {
                    let request = ModelRequest::new(vec![Message::user("Hello")]);
                    provider.stream(request, context).await.is_err()
                }
            });
            futures_util::future::join_all(calls).await
        })
        .unwrap();
    assert_eq!(failed.iter().filter(|failed| **failed).count(), 0);
    assert_eq!(*requests.lock().unwrap(), 400);
}

#[test]
fn an_empty_retry_budget_is_named() {
    let budget = RetryBudget::new();
    while budget.try_retry() {}
    let spent = provider(RetryPolicy::default()).retry_budget(budget);
    let seen = play(vec![], spent, |_| {});
    assert_eq!(seen.requests, 1);
    let error = seen.error.unwrap();
    assert_eq!(error.status(), Some(503));
    assert!(
        error.to_string().contains("the retry budget is used up"),
        "{error}"
    );
}

#[test]
fn d07_a_deadline_before_the_next_try_keeps_the_cause() {
    let busy = Script::status("429 Too Many Requests\r\nretry-after: 30");
    let seen = play(
        vec![busy, Script::answer()],
        provider(RetryPolicy::default()),
        |call| call.deadline = Some(seconds(5)),
    );
    assert_eq!(seen.requests, 1);
    assert_eq!(seen.took, Duration::ZERO, "nothing is waited for in vain");
    let error = seen.error.unwrap();
    assert_eq!(error.kind(), Kind::RateLimited);
    assert_eq!(error.status(), Some(429));
    assert_eq!(error.retry_after(), Some(seconds(30)));
    assert!(error.is_retryable());
    assert!(error.attempts().is_empty(), "{error}");
    assert!(error.hint().unwrap().contains("deadline"), "{error}");
}

#[test]
fn the_total_is_for_the_whole_call_and_not_for_each_try() {
    let slow = || Script::default().after(seconds(40), "").hold();
    let timeouts = Timeouts::default()
        .with_headers(seconds(30))
        .with_total(seconds(50));
    let seen = play(
        vec![slow(), slow(), slow()],
        provider(RetryPolicy::default()).timeouts(timeouts),
        |_| {},
    );
    assert_eq!(seen.kind(), Some(Kind::Deadline));
    assert_eq!(seen.took, seconds(50));
    assert_eq!(seen.requests, 2);
}

#[test]
fn the_deadline_holds_for_what_was_read_ahead_too() {
    let mut all = String::from(HEAD);
    for _ in 0..60 {
        all.push_str(&event(&text("x")));
    }
    let seen = play(
        vec![Script::new(all).hold()],
        provider(RetryPolicy::never()),
        |call| {
            call.deadline = Some(seconds(1));
            call.pause = Duration::from_millis(60);
        },
    );
    assert_eq!(seen.kind(), Some(Kind::Deadline));
    assert!(seen.took <= Duration::from_millis(1_060), "{:?}", seen.took);
    assert!((10..20).contains(&seen.text().len()), "{}", seen.text());
    assert!(seen.error.unwrap().maybe_billed());
}

#[test]
fn an_answer_that_is_here_is_read_beyond_the_deadline() {
    let last =
        r#"{"choices":[{"index":0,"delta":{"content":"all of it"},"finish_reason":"stop"}]}"#;
    let all = HEAD.to_owned() + &event(last) + &event("[DONE]");
    let seen = play(
        vec![Script::new(all)],
        provider(RetryPolicy::never()),
        |call| {
            call.deadline = Some(seconds(1));
            call.pause = seconds(2);
        },
    );
    assert_eq!(seen.outcome().text, "all of it");
}

#[test]
fn g03_after_the_reason_to_stop_the_end_is_not_waited_for_long() {
    let open = Script::new(HEAD)
        .after(
            Duration::ZERO,
            event(&text("whole")) + &event(&finish("stop")),
        )
        .hold();
    let seen = call(vec![open], RetryPolicy::never(), true);
    let outcome = seen.outcome();
    assert_eq!(outcome.text, "whole");
    assert_eq!(outcome.warnings.len(), 1);
    assert!(seen.took <= seconds(2), "{:?}", seen.took);
}

#[test]
fn e02_token_counts_that_come_a_little_later_are_waited_for() {
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    let late = Script::new(HEAD)
        .after(
            Duration::ZERO,
            event(&text("whole")) + &event(&finish("stop")),
        )
        .after(Duration::from_millis(900), event(usage) + &event("[DONE]"));
    let seen = call(vec![late.hold()], RetryPolicy::never(), true);
    let outcome = seen.outcome();
    assert_eq!(outcome.usage.output_tokens, Some(2));
    assert_eq!(outcome.warnings, []);
    assert_eq!(seen.took, Duration::from_millis(900));
}

#[test]
fn signs_of_life_after_the_reason_to_stop_keep_nobody_waiting() {
    let mut open = Script::new(HEAD).after(
        Duration::ZERO,
        event(&text("whole")) + &event(&finish("stop")),
    );
    for _ in 0..1_000 {
        open = open.after(Duration::from_millis(100), ": keep-alive\n\n");
    }
    let seen = call(vec![open.hold()], RetryPolicy::never(), true);
    assert_eq!(seen.outcome().text, "whole");
    assert!(seen.took <= seconds(3), "{:?}", seen.took);
}

#[test]
fn g08_an_answer_that_follows_its_reasoning_late_is_waited_for() {
    let early =
        r#"{"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":"stop"}]}"#;
    let script = Script::new(HEAD)
        .after(Duration::ZERO, event(early))
        .after(seconds(30), end());
    let seen = call(vec![script], RetryPolicy::never(), true);
    let outcome = seen.outcome();
    assert_eq!(outcome.reasoning, "hm");
    assert_eq!(outcome.text, "the end");
    assert_eq!(seen.took, seconds(30));
}

#[test]
fn g08_tool_calls_that_follow_their_reason_late_are_waited_for() {
    let early = r#"{"choices":[{"index":0,"delta":{"content":"Let me see"},"finish_reason":"tool_calls"}]}"#;
    let call =
        delta(r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#);
    let script = Script::new(HEAD)
        .after(Duration::ZERO, event(early))
        .after(seconds(30), event(&call) + &event("[DONE]"));
    let seen = play(vec![script], provider(RetryPolicy::never()), |_| {});
    let outcome = seen.outcome();
    assert_eq!(outcome.calls.len(), 1);
    assert_eq!(outcome.warnings, []);
}

#[test]
fn g08_silence_in_what_follows_an_early_reason_is_no_end() {
    let script = Script::new(HEAD)
        .after(
            Duration::ZERO,
            event(&text("a")) + &event(&finish("stop")) + &event(&delta(r#"{"content":"b"}"#)),
        )
        .hold();
    let seen = call(vec![script], RetryPolicy::never(), true);
    assert_eq!(seen.kind(), Some(Kind::IdleTimeout));
    assert_eq!(seen.text(), "ab");
    assert_eq!(seen.took, seconds(120));
}

const QUOTA: &str = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;

#[test]
fn d08_no_quota_is_final_even_if_the_error_does_not_end() {
    let refused = |body: &str| Script::new(format!("HTTP/1.1 429 Too Many Requests\r\n\r\n{body}"));
    let sse = format!("event: error\ndata: {QUOTA}\n\n");
    for body in [QUOTA, &sse] {
        let seen = call(vec![refused(body).hold()], RetryPolicy::default(), true);
        assert_eq!(seen.kind(), Some(Kind::Quota), "{body}");
        assert_eq!(seen.requests, 1);
        assert_eq!(seen.took, Duration::ZERO, "{body}");
    }
    let unfinished = QUOTA.trim_end_matches('}');
    let seen = call(
        vec![refused(unfinished).hold()],
        RetryPolicy::default(),
        true,
    );
    assert_eq!(seen.kind(), Some(Kind::Quota));
    assert_eq!(seen.requests, 1);
    assert_eq!(seen.took, seconds(5));
}
