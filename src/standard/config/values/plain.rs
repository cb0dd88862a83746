use std::{num::NonZeroU32, time::Duration};

use http::{HeaderName, Method};

use super::{
    Count, Given, Header, Hop, List, Off, Positive, Severity, Share, Status, Text, Time, Unlimited,
    methods::Verb,
};
use crate::{deadline::TimeoutHeader, logging::Level, ratio::Ratio};

/// What a layer's setter takes for a value.
pub(in crate::standard::config) trait Plain {
    type Plain;

    fn plain(self) -> Self::Plain;
}

macro_rules! plain {
    ($([$($generics:tt)*] $type:ty => $plain:ty, $make:expr;)*) => {
        $(impl<$($generics)*> Plain for $type {
            type Plain = $plain;

            fn plain(self) -> $plain {
                let make: fn(Self) -> $plain = $make;
                make(self)
            }
        })*
    };
}

plain! {
    [] bool => bool, |it| it;
    [] Header => HeaderName, |it| it.0;
    [] Hop => TimeoutHeader, |it| it.0;
    [] Positive => NonZeroU32, |it| it.0;
    [] Severity => Level, |it| it.0;
    [] Share => Ratio, |it| it.0;
    [] Status => u16, |it| it.0;
    [] Text => String, |it| it.0;
    [] Verb => Method, |it| it.0;
    [const LEAST: u32, const MOST: u32] Count<LEAST, MOST> => u32, |it| it.0;
    [const LEAST: u64] Time<LEAST> => Duration, |it| it.0;
    [T: Plain] List<T> => Vec<T::Plain>, |it| it.0.into_iter().map(T::plain).collect();
    [T: Plain] Off<T> => Option<T::Plain>, |it| it.0.map(T::plain);
    [T: Plain] Unlimited<T> => Option<T::Plain>, |it| it.0.map(T::plain);
}

impl<T: Plain + Clone> Given<T> {
    /// What the layer is with it: the same, if it is not given.
    pub(in crate::standard::config) fn put<L>(
        &self,
        layer: L,
        set: impl FnOnce(L, T::Plain) -> L,
    ) -> L {
        match &self.0 {
            Some(value) => set(layer, value.clone().plain()),
            None => layer,
        }
    }
}
