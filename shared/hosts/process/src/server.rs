//! A router on a TCP port.

use akademi_api::caller::ClientAddress;
use axum::{
    Router,
    extract::{ConnectInfo, Request},
    middleware::{Next, from_fn},
    response::Response,
};
use std::net::SocketAddr;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// A server that runs until it is stopped.
pub struct Server {
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Serves `router` on `listen`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(router: Router, listen: SocketAddr) -> std::io::Result<Self> {
        Self::serve(router, TcpListener::bind(listen).await?)
    }

    /// Serves `router` on a port that is bound already, for what has to know the port first.
    ///
    /// # Errors
    /// When the port has no address.
    pub fn serve(router: Router, listener: TcpListener) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, mut stopped) = watch::channel(false);
        let service = router.layer(from_fn(note_client)).into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            let ended = async move {
                // An error means that the server was dropped, which ends it too.
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            axum::serve(listener, service).with_graceful_shutdown(ended).await
        });
        Ok(Self { address, stop, task })
    }

    /// Takes no new connection and waits for requests that run.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let waited = tokio::time::timeout(std::time::Duration::from_secs(5), self.task).await;
        // An idle connection that a client keeps open does not hold the end up.
        drop(waited);
    }
}

async fn note_client(
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(ClientAddress(address.ip().to_string()));
    next.run(request).await
}
