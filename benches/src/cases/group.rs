use crate::{Answer, Case, Runner, Subscriber, request::Kind};

/// A service, and in what it is measured beyond a GET with nobody listening.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) ready: fn(Kind) -> Box<dyn Runner>,
    pub(super) pending: fn(Kind) -> Box<dyn Runner>,
    pub(super) all_kinds: bool,
    pub(super) at_info: bool,
}

/// Makes a [`Row`]: the same expression around each of the two inner services, whose types differ.
macro_rules! row {
    ($name:literal, |$inner:ident| $service:expr) => {
        Row {
            name: $name,
            ready: |kind| {
                let $inner = $crate::service::Ready;
                $crate::runner::calls($service, kind)
            },
            pending: |kind| {
                let $inner = $crate::service::PendingOnce;
                $crate::runner::calls($service, kind)
            },
            all_kinds: false,
            at_info: false,
        }
    };
}
pub(super) use row;

impl Row {
    /// Also with the other kinds of request, for what copies requests.
    pub(super) const fn all_kinds(mut self) -> Self {
        self.all_kinds = true;
        self
    }

    /// Also with a subscriber, for what logs.
    pub(super) const fn at_info(mut self) -> Self {
        self.at_info = true;
        self
    }

    pub(super) fn cases(&self) -> Vec<Case> {
        let case = |kind, answer, subscriber| Case {
            name: self.name,
            kind,
            answer,
            subscriber,
            base: "bare",
            make: match answer {
                Answer::PendingOnce => self.pending,
                Answer::Ready | Answer::None => self.ready,
            },
        };
        let mut cases = vec![
            case(Kind::Get, Answer::Ready, Subscriber::None),
            case(Kind::Get, Answer::PendingOnce, Subscriber::None),
        ];
        if self.all_kinds {
            cases.push(case(Kind::GetWithHeaders, Answer::Ready, Subscriber::None));
            cases.push(case(Kind::Post, Answer::Ready, Subscriber::None));
        }
        if self.at_info {
            cases.push(case(Kind::Get, Answer::Ready, Subscriber::Noop));
            cases.push(case(Kind::Get, Answer::Ready, Subscriber::Debug));
            cases.push(case(Kind::Get, Answer::Ready, Subscriber::Info));
            cases.push(case(Kind::Get, Answer::PendingOnce, Subscriber::Info));
        }
        cases
    }
}
