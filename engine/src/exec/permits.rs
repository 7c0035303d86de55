//! A counted bound on blocks under way: taken when a block is cut, given back when its rows are written.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::Cancel;

/// The bound.
#[derive(Debug, Clone)]
pub struct Permits {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    free: Mutex<usize>,
    returned: Condvar,
}

/// One place; it is given back when its last clone is dropped.
#[derive(Debug, Clone)]
pub struct Permit {
    _place: Arc<Place>,
}

#[derive(Debug)]
struct Place {
    shared: Arc<Shared>,
}

impl Permits {
    /// `count` places.
    pub fn new(count: usize) -> Self {
        Self { shared: Arc::new(Shared { free: Mutex::new(count), returned: Condvar::new() }) }
    }

    /// Waits for a place; `None` when the run was cancelled meanwhile.
    pub fn acquire(&self, cancel: &Cancel) -> Option<Permit> {
        let mut free = self.shared.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if cancel.is_cancelled() {
                return None;
            }
            if *free > 0 {
                break;
            }
            // The timeout only serves cancellation, which does not notify.
            let waited = self.shared.returned.wait_timeout(free, Duration::from_millis(50));
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= 1;
        Some(Permit { _place: Arc::new(Place { shared: Arc::clone(&self.shared) }) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.shared.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.shared.returned.notify_one();
    }
}
