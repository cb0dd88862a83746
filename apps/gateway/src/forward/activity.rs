//! The activity of a tunnel.

use std::{
    future::pending,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{self, AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::{Instant, sleep_until},
};

/// The time without data after which a tunnel is closed whose one end has ended. So a peer that
/// ignores the end of a WebSocket does not hold the tunnel for the whole idle time.
const LINGER: Duration = Duration::from_secs(10);

/// The time of the last data, and the end of the first direction.
pub(super) struct Activity {
    start: Instant,
    /// In milliseconds after the start.
    last: AtomicU64,
    half_closed: Notify,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0), half_closed: Notify::new() }
    }

    fn record(&self) {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(elapsed, Ordering::Relaxed);
    }

    /// Records that one end sends no more.
    fn close_half(&self) {
        self.half_closed.notify_one();
    }

    /// Waits until there was no data for `idle`, or for [`LINGER`] after one end has ended.
    pub(super) async fn wait_until_idle(&self, mut idle: Duration) {
        loop {
            let last = self.start + Duration::from_millis(self.last.load(Ordering::Relaxed));
            // A time beyond the clock is never reached.
            let end = last.checked_add(idle);
            if end.is_some_and(|end| end <= Instant::now()) {
                return;
            }
            let sleep = async {
                match end {
                    Some(end) => sleep_until(end).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = sleep => {}
                () = self.half_closed.notified() => idle = idle.min(LINGER),
            }
        }
    }
}

/// Records each transfer of data.
pub(super) struct Watched<'a, T> {
    pub(super) io: T,
    pub(super) activity: &'a Activity,
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<'_, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        let result = ready!(Pin::new(&mut self.io).poll_read(cx, buffer));
        self.activity.record();
        if buffer.filled().len() == filled {
            self.activity.close_half();
        }
        Poll::Ready(result)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<'_, T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.io).poll_write(cx, buffer));
        self.activity.record();
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The upstream sends no more.
        self.activity.record();
        self.activity.close_half();
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const IDLE: Duration = Duration::from_secs(60);

    /// The timers of tokio have a granularity of 1 ms.
    fn assert_about(elapsed: Duration, expected: Duration) {
        assert!(elapsed.abs_diff(expected) < Duration::from_millis(10), "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn idle_time_counts_from_last_data() {
        let (start, activity) = (Instant::now(), Activity::new());
        let wait = activity.wait_until_idle(IDLE);
        tokio::pin!(wait);
        assert!(timeout(IDLE / 2, wait.as_mut()).await.is_err());
        activity.record();
        wait.await;
        assert_about(start.elapsed(), IDLE / 2 + IDLE);
    }

    #[tokio::test(start_paused = true)]
    async fn half_closed_tunnel_lingers_while_it_has_data() {
        let (start, activity) = (Instant::now(), Activity::new());
        activity.close_half();
        let wait = activity.wait_until_idle(IDLE);
        tokio::pin!(wait);
        assert!(timeout(LINGER / 2, wait.as_mut()).await.is_err());
        activity.record();
        wait.await;
        assert_about(start.elapsed(), LINGER / 2 + LINGER);
    }

    #[tokio::test(start_paused = true)]
    async fn endless_idle_time_is_no_panic() {
        let activity = Activity::new();
        let wait = activity.wait_until_idle(Duration::MAX);
        assert!(timeout(IDLE, wait).await.is_err());
    }
}
