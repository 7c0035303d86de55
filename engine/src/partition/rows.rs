//! Which rows of a batch go to one place.

use std::ops::Range;
use std::sync::Arc;

/// Rows of a batch, in their order: neighbours, or those that a list of row numbers names.
#[derive(Debug, Clone)]
pub struct RowRange {
    order: Option<Arc<[u32]>>,
    range: Range<usize>,
}

impl RowRange {
    /// The first `count` rows.
    pub fn first(count: usize) -> Self {
        Self { order: None, range: 0..count }
    }

    /// The rows that a part of `order` names.
    pub(crate) fn named(order: Arc<[u32]>, range: Range<usize>) -> Self {
        Self { order: Some(order), range }
    }

    /// How many rows they are.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// The numbers of the rows; `None` when they are neighbours, beginning at [`start`](Self::start).
    pub fn indices(&self) -> Option<&[u32]> {
        self.order.as_ref().map(|order| &order[self.range.clone()])
    }

    /// The first row of neighbours.
    pub fn start(&self) -> usize {
        self.range.start
    }

    /// The number of the `index`th row, which must be there.
    #[inline]
    pub(crate) fn row(&self, index: usize) -> usize {
        let at = self.range.start + index;
        self.order.as_ref().map_or(at, |order| order[at] as usize)
    }

    /// At most `count` of the rows, from the `from`th on.
    pub fn part(&self, from: usize, count: usize) -> Self {
        let start = (self.range.start + from).min(self.range.end);
        Self { order: self.order.clone(), range: start..start.saturating_add(count).min(self.range.end) }
    }

    /// Calls `take` with the number of each row.
    #[inline]
    pub fn for_each(&self, mut take: impl FnMut(usize)) {
        match self.indices() {
            None => self.range.clone().for_each(take),
            Some(indices) => indices.iter().for_each(|&row| take(row as usize)),
        }
    }
}
