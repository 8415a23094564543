//! Handlers: from async functions of any fitting type to one kind of object.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use sansocket_core::{Args, ArgsError};
use serde::de::DeserializeOwned;

use super::Work;
use super::error::HandlerErrorKind;
use super::reply::{IntoReply, Reply};
use super::socket::Socket;

/// An async function that handles an event.
///
/// | form | gets |
/// | --- | --- |
/// | `async \|socket: Socket\|` | nothing but the socket |
/// | `async \|socket: Socket, value: T\|` | the arguments as a `T`, see [`FromArgs`] |
/// | `async \|socket: Socket, value: T, reply: Reply\|` | and the acknowledgement, to be given by hand |
///
/// What it returns is the acknowledgement, see [`IntoReply`]. Its future must be `Send`. An
/// `async move` closure borrows from what it has captured, which rules it out here; write
/// `move |socket: Socket| { let captured = captured.clone(); async move { .. } }` instead.
///
/// Handlers of one socket run one after the other, in the order of its events.
///
/// `S` is what handlers are called with: a server's [`Socket`] or a client's
/// [`Socket`](crate::client::Socket). `Form` only tells the forms apart.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not an async function of a socket, a value, and perhaps a reply",
    note = "a handler is `async |socket: Socket, value: T| {{ .. }}` with the types written out",
    note = "`T` must be deserializable, the future `Send`, and the result `()`, `Ack(value)` or a `Result`"
)]
pub trait Handler<Form, S = Socket>: Send + Sync + 'static {
    /// Decodes the arguments and calls the function.
    #[doc(hidden)]
    fn call(&self, call: Call<S>) -> Option<Work>;
}

/// What the arguments of an event can be taken as: any deserializable type, by
/// [`Args::decode`], or [`Args`] itself, undecoded.
///
/// A tuple is several arguments, and [`Raw`](crate::Raw) one that stays undecoded. `Form` only
/// tells the two apart.
pub trait FromArgs<Form>: Sized {
    /// Takes them.
    ///
    /// # Errors
    ///
    /// If they do not fit.
    fn from_args(args: Args) -> Result<Self, ArgsError>;
}

/// One event for one handler.
#[doc(hidden)]
pub struct Call<S> {
    pub(crate) event: Arc<str>,
    pub(crate) socket: S,
    pub(crate) args: Args,
    pub(crate) reply: Reply,
}

/// The form of [`FromArgs`] for types that serde knows.
#[doc(hidden)]
pub struct Decoded;

/// The form of [`FromArgs`] for [`Args`].
#[doc(hidden)]
pub struct Undecoded;

impl<T: DeserializeOwned> FromArgs<Decoded> for T {
    fn from_args(args: Args) -> Result<Self, ArgsError> {
        args.decode()
    }
}

impl FromArgs<Undecoded> for Args {
    fn from_args(args: Args) -> Result<Self, ArgsError> {
        Ok(args)
    }
}

impl<F, Fut, S> Handler<(S,), S> for F
where
    F: Fn(S) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoReply> + Send + 'static,
{
    fn call(&self, call: Call<S>) -> Option<Work> {
        let Call { event, socket, reply, .. } = call;
        Some(run(self(socket), reply, event))
    }
}

impl<F, Fut, S, T, Form> Handler<(S, T, Form), S> for F
where
    F: Fn(S, T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoReply> + Send + 'static,
    T: FromArgs<Form>,
{
    fn call(&self, call: Call<S>) -> Option<Work> {
        let Call { event, socket, args, reply } = call;
        let value = decode(args, &reply, &event)?;
        Some(run(self(socket, value), reply, event))
    }
}

impl<F, Fut, S, T, Form> Handler<(S, T, Reply, Form), S> for F
where
    F: Fn(S, T, Reply) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoReply> + Send + 'static,
    T: FromArgs<Form>,
{
    fn call(&self, call: Call<S>) -> Option<Work> {
        let Call { event, socket, args, mut reply } = call;
        let value = decode(args, &reply, &event)?;
        Some(run(self(socket, value, reply.take()), reply, event))
    }
}

fn decode<T: FromArgs<Form>, Form>(args: Args, reply: &Reply, event: &Arc<str>) -> Option<T> {
    match T::from_args(args) {
        Ok(value) => Some(value),
        Err(error) => {
            reply.report(event, HandlerErrorKind::Decode(error));
            None
        }
    }
}

/// The one allocation of a call.
pub(crate) fn run<Fut>(future: Fut, reply: Reply, event: Arc<str>) -> Work
where
    Fut: Future<Output: IntoReply> + Send + 'static,
{
    Box::pin(async move {
        let returned = future.await;
        reply.finish(returned, &event);
    })
}

/// A handler whose type is forgotten.
pub(crate) trait ErasedHandler<S>: Send + Sync {
    fn call(&self, call: Call<S>) -> Option<Work>;
}

/// Holds the form, which the handler's type does not.
struct Formed<H, Form> {
    handler: H,
    form: PhantomData<fn() -> Form>,
}

impl<H: Handler<Form, S>, Form, S> ErasedHandler<S> for Formed<H, Form> {
    fn call(&self, call: Call<S>) -> Option<Work> {
        self.handler.call(call)
    }
}

pub(crate) fn erase<Form: 'static, S>(handler: impl Handler<Form, S>) -> Arc<dyn ErasedHandler<S>> {
    Arc::new(Formed { handler, form: PhantomData })
}
