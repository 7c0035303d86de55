//! A Java pattern to its tree. Grammar and messages: `java.util.regex.Pattern` of Java 17.

use super::classes;
use super::error::PatternError;
use super::escapes;
use super::flags::Flags;
use super::sets::{self, of_letter, of_property};
use super::tokens::Tokens;
use super::tree::{Kind, Node, Set};

/// How deep groups and classes may nest.
const MAX_DEPTH: usize = 100;

type Parse<T> = Result<T, PatternError>;

/// Reads a pattern.
pub(super) fn parse(pattern: &str) -> Parse<Node> {
    let mut parser =
        Parser { tokens: Tokens::new(pattern), flags: Flags::default(), groups: 0, names: Vec::new(), depth: 0 };
    let mut node = parser.alternation()?;
    match parser.tokens.at_end() {
        true => {
            node.forget_groups_after(parser.groups);
            Ok(node)
        }
        // Only a parenthesis ends an alternation before the text does.
        false => parser.tokens.error("Unmatched closing ')'"),
    }
}

pub(super) struct Parser {
    pub(super) tokens: Tokens,
    pub(super) flags: Flags,
    /// How many capturing groups have been opened.
    groups: usize,
    names: Vec<(String, usize)>,
    depth: usize,
}

impl Parser {
    /// The next character that means something and is not quoted.
    pub(super) fn peek(&mut self) -> Option<char> {
        if self.flags.comments {
            self.tokens.skip_comments(self.flags.unix_lines);
        }
        self.tokens.peek()
    }

    /// Goes a level down; [`Self::leave`] comes back.
    pub(super) fn enter(&mut self) -> Parse<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.tokens.error(format!("nested deeper than {MAX_DEPTH}"));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    fn alternation(&mut self) -> Parse<Node> {
        let mut branches = vec![self.sequence()?];
        while self.peek() == Some('|') {
            self.tokens.take();
            branches.push(self.sequence()?);
        }
        Ok(match branches.len() {
            1 => branches.remove(0),
            _ => Node::Alternate(branches),
        })
    }

    fn sequence(&mut self) -> Parse<Node> {
        let mut nodes = Vec::new();
        loop {
            let next = self.peek();
            if self.tokens.at_end() || matches!(next, Some('|' | ')')) {
                break;
            }
            let node = match next {
                Some('(') => match self.group()? {
                    Some(node) => node,
                    None => continue,
                },
                Some('[') => Node::Set(classes::class(self)?),
                Some('^') => {
                    self.tokens.take();
                    match self.flags.multi_line {
                        true => Node::LineStart { unix: self.flags.unix_lines },
                        false => Node::Start,
                    }
                }
                Some('$') => {
                    self.tokens.take();
                    match self.flags.multi_line {
                        true => Node::LineEnd { unix: self.flags.unix_lines },
                        false => Node::FinalEnd { unix: self.flags.unix_lines },
                    }
                }
                Some('.') => {
                    self.tokens.take();
                    Node::Set(sets::dot(self.flags))
                }
                Some(dangling @ ('*' | '+' | '?')) => {
                    return self.tokens.error(format!("Dangling meta character '{dangling}'"));
                }
                // Java has it repeat nothing.
                Some('{') => Node::Empty,
                Some('\\') => self.escape()?,
                _ => match self.tokens.take() {
                    Some((character, _)) => Node::Set(self.flags.fold(sets::one(character))),
                    None => break,
                },
            };
            nodes.push(self.quantified(node)?);
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.remove(0),
            _ => Node::Concat(nodes),
        })
    }

    /// A backslash and what follows, outside a class.
    fn escape(&mut self) -> Parse<Node> {
        let at = self.tokens.at();
        self.tokens.take();
        let Some((letter, _)) = self.tokens.take() else {
            return self.tokens.error("Unexpected internal error: the pattern ends with a lone `\\`");
        };
        let unix = self.flags.unix_lines;
        Ok(match letter {
            'A' | 'G' => Node::Start,
            'z' => Node::End,
            'Z' => Node::FinalEnd { unix },
            'b' | 'B' => {
                if letter == 'b' && self.tokens.peek() == Some('{') && self.tokens.peek_ahead(1) == Some('g') {
                    return self.tokens.error("the boundary of grapheme clusters, `\\b{g}`, is not supported");
                }
                Node::Boundary { negated: letter == 'B', unicode: self.flags.unicode_classes }
            }
            'R' => {
                let one = sets::of_letter('v', Flags::default()).unwrap_or_else(Set::empty);
                let both = Node::Concat(vec![Node::Set(sets::one('\r')), Node::Set(sets::one('\n'))]);
                Node::Alternate(vec![both, Node::Set(one)])
            }
            'k' => self.named_reference()?,
            '1'..='9' => self.numbered_reference(letter),
            _ => match self.set_escape(letter)? {
                Some(set) => Node::Set(set),
                None => match escapes::character(&mut self.tokens, letter)? {
                    Some(character) => Node::Set(self.flags.fold(sets::one(character))),
                    None => return Err(unsupported_escape(letter, at)),
                },
            },
        })
    }

    /// `\d`, `\p{...}` and the like; `None` for other letters.
    pub(super) fn set_escape(&mut self, letter: char) -> Parse<Option<Set>> {
        if !matches!(letter, 'p' | 'P') {
            return Ok(of_letter(letter, self.flags));
        }
        let at = self.tokens.at();
        let name = if self.tokens.eat('{') {
            let name = self.tokens.take_while(usize::MAX, |c| c != '}');
            if !self.tokens.eat('}') {
                return self.tokens.error("Unclosed character family");
            }
            if name.is_empty() {
                return Err(PatternError { message: "Empty character family".to_owned(), position: at });
            }
            name
        } else {
            match self.tokens.take() {
                Some((letter, _)) => letter.to_string(),
                None => return self.tokens.error("Unclosed character family"),
            }
        };
        match of_property(&name, self.flags) {
            Ok(set) => Ok(Some(if letter == 'P' { sets::not(set) } else { set })),
            Err(message) => Err(PatternError { message, position: at }),
        }
    }

    fn numbered_reference(&mut self, first: char) -> Node {
        let mut group = first.to_digit(10).unwrap_or(0) as usize;
        // More digits belong to it only while there are as many groups.
        while let Some(digit) = self.tokens.peek().and_then(|next| next.to_digit(10)) {
            let longer = group * 10 + digit as usize;
            if longer > self.groups {
                break;
            }
            self.tokens.take();
            group = longer;
        }
        Node::BackReference { group, ignore_case: self.flags.ignore_case }
    }

    fn named_reference(&mut self) -> Parse<Node> {
        if !self.tokens.eat('<') {
            return self.tokens.error("\\k is not followed by '<' for named capturing group");
        }
        let at = self.tokens.at();
        let name = self.group_name()?;
        match self.names.iter().find(|(known, _)| *known == name) {
            Some((_, group)) => Ok(Node::BackReference { group: *group, ignore_case: self.flags.ignore_case }),
            None => {
                let message = format!("named capturing group <{name}> does not exist");
                Err(PatternError { message, position: at })
            }
        }
    }

    /// `name>`
    fn group_name(&mut self) -> Parse<String> {
        if !self.tokens.peek().is_some_and(|first| first.is_ascii_alphabetic()) {
            return self.tokens.error("capturing group name does not start with a Latin letter");
        }
        let name = self.tokens.take_while(usize::MAX, |c| c.is_ascii_alphanumeric());
        match self.tokens.eat('>') {
            true => Ok(name),
            false => self.tokens.error("named capturing group is missing trailing '>'"),
        }
    }

    /// A group; `None` when it only sets flags.
    fn group(&mut self) -> Parse<Option<Node>> {
        self.enter()?;
        self.tokens.take();
        let saved = self.flags;
        let node = if self.tokens.eat('?') {
            let at = self.tokens.at();
            match self.tokens.take().map(|(character, _)| character) {
                Some(':') => self.alternation()?,
                Some('>') => Node::Atomic(Box::new(self.alternation()?)),
                Some('=') => Node::Look { behind: false, negated: false, node: Box::new(self.alternation()?) },
                Some('!') => Node::Look { behind: false, negated: true, node: Box::new(self.alternation()?) },
                Some('<') if matches!(self.tokens.peek(), Some('=' | '!')) => self.look_behind(at)?,
                Some('<') => self.named_group()?,
                Some(_) => {
                    self.tokens.back();
                    return self.flag_group(saved);
                }
                None => return self.tokens.error("Unknown inline modifier"),
            }
        } else {
            self.groups += 1;
            Node::Capture(Box::new(self.alternation()?))
        };
        self.close(saved)?;
        Ok(Some(node))
    }

    fn close(&mut self, saved: Flags) -> Parse<()> {
        if self.peek() != Some(')') {
            return self.tokens.error("Unclosed group");
        }
        self.tokens.take();
        self.flags = saved;
        self.leave();
        Ok(())
    }

    fn look_behind(&mut self, at: usize) -> Parse<Node> {
        let negated = self.tokens.take().is_some_and(|(sign, _)| sign == '!');
        let node = self.alternation()?;
        if !node.is_bounded() {
            let message = "Look-behind group does not have an obvious maximum length".to_owned();
            return Err(PatternError { message, position: at });
        }
        Ok(Node::Look { behind: true, negated, node: Box::new(node) })
    }

    fn named_group(&mut self) -> Parse<Node> {
        let at = self.tokens.at();
        let name = self.group_name()?;
        if self.names.iter().any(|(known, _)| *known == name) {
            let message = format!("Named capturing group <{name}> is already defined");
            return Err(PatternError { message, position: at });
        }
        self.groups += 1;
        self.names.push((name, self.groups));
        Ok(Node::Capture(Box::new(self.alternation()?)))
    }

    /// What follows the question mark of `(?i-s)` and `(?i-s:...)`.
    fn flag_group(&mut self, saved: Flags) -> Parse<Option<Node>> {
        let mut on = true;
        loop {
            let at = self.tokens.at();
            match self.tokens.take().map(|(character, _)| character) {
                Some('-') if on => on = false,
                Some(')') => {
                    self.leave();
                    return Ok(None);
                }
                Some(':') => {
                    let node = self.alternation()?;
                    self.close(saved)?;
                    return Ok(Some(node));
                }
                Some(letter) if self.flags.set(letter, on) => {}
                _ => return Err(PatternError { message: "Unknown inline modifier".to_owned(), position: at }),
            }
        }
    }

    fn quantified(&mut self, node: Node) -> Parse<Node> {
        let at = self.tokens.at();
        let (min, max) = match self.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => {
                self.tokens.take();
                let bounds = self.bounds(at)?;
                return Ok(self.repeat(node, bounds));
            }
            _ => return Ok(node),
        };
        self.tokens.take();
        Ok(self.repeat(node, (min, max)))
    }

    /// `n}`, `n,}` or `n,m}`.
    fn bounds(&mut self, at: usize) -> Parse<(u32, Option<u32>)> {
        let wrong = |message: &str| Err(PatternError { message: message.to_owned(), position: at });
        let number = |digits: &str| digits.parse::<u32>().ok().filter(|number| i32::try_from(*number).is_ok());
        let digits = self.tokens.take_while(usize::MAX, |c| c.is_ascii_digit());
        if digits.is_empty() {
            return wrong("Illegal repetition");
        }
        let Some(min) = number(&digits) else { return wrong("Illegal repetition range") };
        let mut max = Some(min);
        if self.tokens.eat(',') {
            let digits = self.tokens.take_while(usize::MAX, |c| c.is_ascii_digit());
            max = match digits.is_empty() {
                true => None,
                false => match number(&digits).filter(|max| *max >= min) {
                    None => return wrong("Illegal repetition range"),
                    max => max,
                },
            };
        }
        if !self.tokens.eat('}') {
            return wrong("Unclosed counted closure");
        }
        Ok((min, max))
    }

    fn repeat(&mut self, node: Node, (min, max): (u32, Option<u32>)) -> Node {
        let kind = match self.peek() {
            Some('?') => Kind::Lazy,
            Some('+') => Kind::Possessive,
            _ => Kind::Greedy,
        };
        if kind != Kind::Greedy {
            self.tokens.take();
        }
        // What takes no character need not be tried twice, and the engines refuse to.
        if node.width() == (0, Some(0)) {
            return match (min, kind) {
                _ if node == Node::Empty => node,
                _ if max == Some(0) => never(node),
                (0, Kind::Lazy) => Node::Alternate(vec![Node::Empty, node]),
                (0, _) => Node::Alternate(vec![node, Node::Empty]),
                _ => node,
            };
        }
        Node::Repeat { node: Box::new(node), min, max, kind }
    }
}

/// A piece that is tried no time; its groups still count.
fn never(node: Node) -> Node {
    match node.any(&|node| matches!(node, Node::Capture(_))) {
        true => Node::Alternate(vec![Node::Empty, Node::Concat(vec![Node::Set(Set::empty()), node])]),
        false => Node::Empty,
    }
}

/// The error of an escape that Java does not know, or that is not to be had here.
pub(super) fn unsupported_escape(letter: char, position: usize) -> PatternError {
    let message = match letter {
        'X' => "a grapheme cluster, `\\X`, is not supported".to_owned(),
        'N' => "a character by its name, `\\N{...}`, is not supported; write it as `\\x{...}`".to_owned(),
        _ => "Illegal/unsupported escape sequence".to_owned(),
    };
    PatternError { message, position }
}
