// Makes jdk17.tsv: what java.util.regex says of each pattern and text.
//
//     cut -f1,2 jdk17.tsv | java Jdk.java > new.tsv
//
// A line is: pattern, text, result. Characters that are not printable ASCII, and `%`, stand as %{hex}. The result has
// four digits: find, matches, regexp_extract(text, '^p$', 0) != '', regexp_extract(text, '^(?!\bp\b).*$', 0) != ''; a `!`
// stands where Java refuses what surrounds the pattern. For a pattern that it refuses the result is `!` and why.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

public class Jdk {
    static String decoded(String field) {
        Matcher escape = Pattern.compile("%\\{([0-9A-F]+)\\}").matcher(field);
        return escape.replaceAll(m -> Matcher.quoteReplacement(new String(Character.toChars(Integer.parseInt(m.group(1), 16)))));
    }

    static String digit(boolean value) {
        return value ? "1" : "0";
    }

    static String extracts(String pattern, String text) {
        try {
            Matcher matcher = Pattern.compile(pattern).matcher(text);
            return digit(matcher.find() && !matcher.group().isEmpty());
        } catch (PatternSyntaxException refused) {
            return "!";
        }
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            String[] fields = line.split("\t", -1);
            String pattern = decoded(fields[0]);
            String text = fields.length > 1 ? decoded(fields[1]) : "";
            String result;
            try {
                Pattern compiled = Pattern.compile(pattern);
                result = digit(compiled.matcher(text).find()) + digit(compiled.matcher(text).matches());
                result += extracts("^" + pattern + "$", text) + extracts("^(?!\\b" + pattern + "\\b).*$", text);
            } catch (PatternSyntaxException refused) {
                result = "!" + refused.getDescription().replaceAll("\\s+", " ");
            } catch (StackOverflowError deep) {
                result = "?";
            }
            System.out.println(fields[0] + "\t" + (fields.length > 1 ? fields[1] : "") + "\t" + result);
        }
    }
}
