//! Tables fitted to the terminal; in a pipe nothing is wrapped.

use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::terminal::Look;

/// A table with a header; columns named in `right` are aligned to the right. Cells must be clean.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>, right: &[usize], look: Look) -> String {
    let mut table = Table::new();
    // Columns apart by blanks, one line under the header.
    table.load_preset(if look.unicode { "     ──            " } else { "     --            " });
    match look.width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_the_terminal_and_only_there() {
        let rows = vec![vec!["a".to_owned(), "word ".repeat(40)]];
        let narrow = Look { color: false, unicode: false, width: Some(40) };
        let text = table(&["x", "y"], rows.clone(), &[0], narrow);
        assert!(text.lines().all(|line| line.len() <= 40), "{text}");
        let pipe = table(&["x", "y"], rows, &[], Look { width: None, ..narrow });
        assert_eq!(pipe.lines().count(), 3, "{pipe}");
    }
}
