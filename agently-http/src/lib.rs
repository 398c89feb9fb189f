//! One HTTP client for every async runtime.
//!
//! hyper's HTTP/1.1 over an [`agently_api::rt::Connector`], TLS by rustls, a keep-alive pool, time
//! limits on the runtime's own clock, and decoders for event streams. It knows no vendor and no
//! runtime.
//!
//! | item | what it is |
//! |---|---|
//! | [`Client`], [`ClientBuilder`] | sends requests; a cheap clone over one pool |
//! | [`Request`], [`Url`], [`Response`], [`Body`] | what goes out and what comes back |
//! | [`Timeouts`], [`Limits`], [`CallOptions`], [`ProxyConfig`] | settings |
//! | [`HttpError`] | what can go wrong, with its kind and what to do |
//! | [`sse`], [`ndjson`] | decoders without I/O: bytes in, events out |
//! | [`retry`] | when to try again, as plain arithmetic |
//!
//! There is no task and no channel per request or connection: a [`Body`] holds its socket and drives
//! it while it is polled. Dropping a body, or the future of [`Client::send`], closes the socket at
//! once. One sleeper per runtime closes idle sockets.
//!
//! ```no_run
//! use agently_http::{Client, Request, Url};
//!
//! # async fn demo(runtime: agently_api::rt::Runtime) -> Result<(), agently_http::HttpError> {
//! let client = Client::builder().build()?;
//! let url = Url::parse("http://127.0.0.1:8080/v1/models")?;
//! let response = client.send(&runtime, Request::get(url)).await?;
//! let body = response.into_body().collect(64 * 1024).await?;
//! println!("{}", String::from_utf8_lossy(&body));
//! # Ok(())
//! # }
//! ```

mod body;
mod client;
mod conn;
mod error;
mod lines;
pub mod ndjson;
mod proxy;
mod request;
mod response;
pub mod retry;
mod settings;
pub mod sse;
mod text;
mod tls;
mod url;

pub use body::{Body, BodyFraming};
pub use client::{CallOptions, Client, ClientBuilder};
pub use error::{HttpError, HttpErrorKind};
pub use http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
pub use proxy::ProxyConfig;
pub use request::Request;
pub use response::Response;
pub use settings::{Limits, Timeouts};
pub use url::Url;
