use agently_api::rt::{BoxIo, Runtime};

use super::{explain, Client};
use crate::proxy::{tunnel, Proxy};
use crate::{HttpError, Url};

impl Client {
    /// Opens a stream that speaks HTTP to where `url` points: directly or through a proxy, with
    /// TLS where it belongs.
    pub(super) async fn connect(
        &self,
        runtime: &Runtime,
        url: &Url,
        proxy: Option<&Proxy>,
    ) -> Result<BoxIo, HttpError> {
        let connector = runtime.connector();
        let tls = &self.inner.tls;
        let stream = match proxy {
            None => connector
                .connect(url.host(), url.port())
                .await
                .map_err(|error| explain::connect(error, &url.host_port()))?,
            Some(proxy) => {
                let stream = connector
                    .connect(proxy.host(), proxy.port())
                    .await
                    .map_err(|error| explain::proxy_connect(error, proxy))?;
                let stream = match proxy.is_https() {
                    true => {
                        tls.handshake(runtime, proxy.host(), proxy.port(), stream)
                            .await?
                    }
                    false => stream,
                };
                match url.is_https() {
                    true => tunnel::open(stream, proxy, &url.host_port()).await?,
                    false => stream,
                }
            }
        };
        match url.is_https() {
            true => tls.handshake(runtime, url.host(), url.port(), stream).await,
            false => Ok(stream),
        }
    }
}
