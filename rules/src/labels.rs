//! Labels of rules, and rules without them.

use crate::dqdl::ast::Rule;

impl Rule {
    /// The labels of the rule, the defaults included.
    pub fn labels(&self) -> &[(String, String)] {
        match self {
            Rule::Leaf(leaf) => &leaf.labels,
            Rule::Composite(composite) => &composite.labels,
        }
    }

    /// The rule with no labels anywhere: how row results name it.
    pub(crate) fn without_labels(&self) -> Rule {
        let mut rule = self.clone();
        rule.drop_labels();
        rule
    }

    fn drop_labels(&mut self) {
        match self {
            Rule::Leaf(leaf) => {
                leaf.own_labels.clear();
                leaf.labels.clear();
            }
            Rule::Composite(composite) => {
                composite.labels.clear();
                composite.nested.iter_mut().for_each(Rule::drop_labels);
            }
        }
    }
}
