//! A web application on axum with Socket.IO inside: people log in over HTTP, and their cookie says
//! who they are on both. Run it, then:
//!
//! ```text
//! curl -i -X POST -d ada http://127.0.0.1:3001/login     # gives a cookie, session=...
//! curl -b session=... http://127.0.0.1:3001/             # hello, ada
//! curl -b session=... -d tea! http://127.0.0.1:3001/announce
//! ```
//!
//! Socket.IO clients that send the cookie are welcomed by name; without it they are refused.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use sansocket_tokio::{Peer, Server, Socket};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Time for clients to hear of the end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

/// Who is logged in.
#[derive(Clone)]
struct User(Arc<str>);

/// The application's state, which its routes share with nobody but each other.
#[derive(Clone)]
struct Application {
    io: Server,
    users: Arc<Mutex<HashMap<String, User>>>,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3001);
    let io = Server::builder()
        .extension::<User>()
        .allow_request(async |request| match request.extensions.get::<User>() {
            Some(_) => Ok(()),
            None => Err("log in first"),
        })
        .build()?;
    io.on_connect(async |socket: Socket| socket.emit("welcome", name_of(&socket))).on(
        "say",
        async |socket: Socket, text: String| {
            socket.server().emit("said", &(name_of(&socket), text))
        },
    );

    let application = Application { io: io.clone(), users: Arc::default() };
    let router = Router::new()
        .route("/", get(hello))
        .route("/login", post(log_in))
        .route("/announce", post(announce))
        .layer(io.layer())
        // Layers that come later are further outside: this one sees the requests of both.
        .layer(middleware::from_fn_with_state(application.clone(), identify))
        .with_state(application);

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(until_asked_to_stop(io)).await
}

fn name_of(socket: &Socket) -> &str {
    socket.handshake().extension::<User>().map_or("nobody", |user| &user.0)
}

/// Looks the cookie up, and tells Socket.IO who is there.
async fn identify(
    State(application): State<Application>,
    ConnectInfo(address): ConnectInfo<std::net::SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(user) = session_of(request.headers()).and_then(|id| application.find(id)) {
        request.extensions_mut().insert(user);
    }
    request.extensions_mut().insert(Peer { address: Some(address), secure: false });
    next.run(request).await
}

fn session_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?;
    cookies.split("; ").find_map(|cookie| cookie.strip_prefix("session="))
}

impl Application {
    fn find(&self, session: &str) -> Option<User> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).get(session).cloned()
    }
}

async fn hello(user: Option<Extension<User>>) -> String {
    format!("hello, {}", user.as_ref().map_or("stranger", |Extension(user)| &user.0))
}

async fn log_in(State(application): State<Application>, name: String) -> Response {
    let mut token = [0; 16];
    if getrandom::fill(&mut token).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let session: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
    let cookie = format!("session={session}; Path=/; HttpOnly; SameSite=Lax");
    let user = User(name.into());
    application.users.lock().unwrap_or_else(PoisonError::into_inner).insert(session, user);
    ([(SET_COOKIE, cookie)], StatusCode::NO_CONTENT).into_response()
}

/// What one person posts, everybody hears.
async fn announce(
    State(application): State<Application>,
    user: Option<Extension<User>>,
    text: String,
) -> Result<StatusCode, StatusCode> {
    let Extension(user) = user.ok_or(StatusCode::UNAUTHORIZED)?;
    match application.io.emit("announcement", &(&user.0, text)) {
        Ok(_) => Ok(StatusCode::ACCEPTED),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}

/// Resolves once the sockets have been told, so that axum finds no request that waits.
async fn until_asked_to_stop(io: Server) {
    if let Ok(mut terminate) = signal(SignalKind::terminate()) {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    io.close(CLOSE_DEADLINE).await;
}
