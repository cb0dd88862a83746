use std::{
    fmt,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use http::{Response, response::Parts};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::{
    task::coop::unconstrained,
    time::{Sleep, sleep},
};

use super::{
    ResponseBody,
    clue::Seen,
    conclude::{Conclusion, may_peek},
    layer::Settings,
    peek::Peek,
};
use crate::Failure;

pin_project! {
    /// Response future of [`BadGatewayClassifier`](super::BadGatewayClassifier).
    pub struct ResponseFuture<F, B: Body> {
        // `None` once its response is looked at, so that what it holds is free by then.
        #[pin]
        inner: Option<F>,
        settings: Settings,
        // A failed response, once it is there and until it was looked at.
        looking: Option<Box<Looking<B>>>,
    }
}

/// A failed response that is being looked at.
struct Looking<B: Body> {
    parts: Parts,
    conclusion: Conclusion,
    peek: Box<Peek<B>>,
    /// How much of it was there at the last look.
    looked_at: usize,
    /// Armed by the first pause.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<F, B: Body> ResponseFuture<F, B> {
    #[inline]
    pub(super) const fn new(inner: F, settings: Settings) -> Self {
        Self { inner: Some(inner), settings, looking: None }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    // No reference into the future goes out of line, so that the compiler may take it apart.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let settings = *this.settings;
        let looking = if let Some(looking) = this.looking.take() {
            looking
        } else {
            let inner = this.inner.as_mut().as_pin_mut().expect("polled after completion");
            let response = ready!(inner.poll(cx))?;
            if response.status().as_u16() < 400 {
                return Poll::Ready(Ok(response.map(ResponseBody::untouched)));
            }
            match Looking::begin(response, settings) {
                Ok(response) => return Poll::Ready(Ok(response)),
                Err(looking) => {
                    this.inner.set(None);
                    looking
                }
            }
        };
        match looking.poll(settings, cx) {
            Ok(response) => Poll::Ready(Ok(response)),
            Err(looking) => {
                *this.looking = Some(looking);
                Poll::Pending
            }
        }
    }
}

impl<B: Body> Looking<B> {
    /// The response as it is to be handed on, or what has to be looked at first.
    #[cold]
    fn begin(
        response: Response<B>,
        settings: Settings,
    ) -> Result<Response<ResponseBody<B>>, Box<Self>> {
        // What an inner layer left there knows more.
        if !settings.on || response.extensions().get::<Failure>().is_some() {
            return Ok(response.map(ResponseBody::untouched));
        }
        let (mut parts, body) = response.into_parts();
        let conclusion = Conclusion::from_head(parts.status, &parts.headers);
        let peeks = settings.peek > 0 && !body.is_end_stream();
        if conclusion.is_settled() || !peeks || !may_peek(parts.status, &parts.headers) {
            conclusion.leave(&mut parts.extensions);
            return Ok(Response::from_parts(parts, ResponseBody::untouched(body)));
        }
        let peek = Box::new(Peek::new(body, settings.peek));
        Err(Box::new(Self { parts, conclusion, peek, looked_at: 0, timer: None }))
    }

    /// Looks at the body until it is recognised, or no more of it is to be read: the response as it is to be handed on, or
    /// what is to be polled again.
    #[cold]
    fn poll(
        mut self: Box<Self>,
        settings: Settings,
        cx: &mut Context<'_>,
    ) -> Result<Response<ResponseBody<B>>, Box<Self>> {
        let over = self.peek.poll_fill(cx).is_ready() || {
            self.look(false);
            !self.conclusion.is_settled() && self.poll_timer(settings, cx).is_ready()
        };
        if over {
            self.look(true);
        } else if !self.conclusion.is_settled() {
            return Err(self);
        }
        let Self { mut parts, conclusion, peek, .. } = *self;
        conclusion.leave(&mut parts.extensions);
        Ok(Response::from_parts(parts, ResponseBody::peeked(peek)))
    }

    fn look(&mut self, over: bool) {
        let seen = self.peek.seen();
        if over || self.looked_at != seen.len() {
            self.looked_at = seen.len();
            let whole = over && self.peek.is_whole();
            let headers = &self.parts.headers;
            self.conclusion.look(Seen { headers, body: Some(seen), over, whole });
        }
    }

    fn poll_timer(&mut self, settings: Settings, cx: &mut Context<'_>) -> Poll<()> {
        if settings.peek_wait.is_zero() {
            return Poll::Ready(());
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(settings.peek_wait)));
        // Unconstrained: a body that spends the whole cooperative budget would otherwise keep the timer from ever being
        // ready.
        pin!(unconstrained(timer.as_mut())).poll(cx)
    }
}

impl<F: fmt::Debug, B: Body> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("inner", &self.inner)
            .field("looking", &self.looking.is_some())
            .finish_non_exhaustive()
    }
}
