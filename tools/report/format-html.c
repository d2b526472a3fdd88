/* format-html.c: a page of one file, which needs no network and is let none: its
 * security policy says so. The report goes into it as JSON, and report.js draws;
 * without scripts the text is shown. What comes from journals is in these two
 * places alone, and can end neither. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "page.h" /* report.css and report.js, made into strings */
#include "report.h"

#define MOST_SHOWN 1000u

typedef void formatter(FILE *, const struct model *, const struct options *);

/* In a script nothing but < can begin its end, or a comment. */
static void put_script_byte(FILE *out, char c)
{
	if (c == '<')
		fputs("\\u003c", out);
	else
		putc(c, out);
}

static void put_text_byte(FILE *out, char c)
{
	if (c == '<')
		fputs("&lt;", out);
	else if (c == '&')
		fputs("&amp;", out);
	else
		putc(c, out);
}

static void write_escaped(FILE *out, const struct model *model, const struct options *options,
			  formatter *format, void (*put)(FILE *, char))
{
	char *bytes = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&bytes, &size);

	if (!memory)
		fail("no memory");
	format(memory, model, options);
	if (fclose(memory) != 0)
		fail("no memory");
	for (size_t i = 0; i < size; i++)
		put(out, bytes[i]);
	free(bytes);
}

void format_html(FILE *out, const struct model *model, const struct options *options)
{
	struct options few = *options;

	few.color = false;
	if (few.top > MOST_SHOWN)
		few.top = MOST_SHOWN;
	fputs("<!DOCTYPE html>\n"
	      "<html lang=\"en\">\n"
	      "<head>\n"
	      "<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
	      "form-action 'none'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<title>jitmend report</title>\n"
	      "<style>\n",
	      out);
	fputs(page_css, out);
	fputs("</style>\n</head>\n<body>\n<main id=\"report\">\n<noscript>\n<pre>", out);
	write_escaped(out, model, &few, format_text, put_text_byte);
	fputs("</pre>\n</noscript>\n</main>\n<script type=\"application/json\" id=\"data\">", out);
	write_escaped(out, model, &few, format_json, put_script_byte);
	fputs("</script>\n<script>\n", out);
	fputs(page_js, out);
	fputs("</script>\n</body>\n</html>\n", out);
}
