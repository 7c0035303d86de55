"""DQDL judged twice: by the binary, and by an oracle written from the language's description."""
