/* SPDX-License-Identifier: ISC */
#include "phone/junit.h"

#include <libxml/xmlwriter.h>

/* The writer's functions answer -1 for a failure, else how much they wrote; XML() gathers. */
#define XML(call) good = good && (call) >= 0
#define X(s) ((const xmlChar *)(s))

static const char *
string_of(const json_t *step, const char *name)
{
	return json_string_value(json_object_get(step, name));
}

static bool
write_step(xmlTextWriter *w, const json_t *step, const char *phone, size_t number)
{
	const char *verdict = string_of(step, "verdict"), *reason = string_of(step, "reason");
	const char *page = string_of(step, "page");
	bool good = true;

	XML(xmlTextWriterStartElement(w, X("testcase")));
	XML(xmlTextWriterWriteAttribute(w, X("classname"), X(phone)));
	/* A step may come more than once, and a CI server takes equal names for one. */
	XML(xmlTextWriterWriteFormatAttribute(w, X("name"), "%02zu %s", number, string_of(step, "step")));
	if (verdict != NULL) {
		XML(xmlTextWriterStartElement(w, X("failure")));
		XML(xmlTextWriterWriteAttribute(w, X("type"), X(verdict)));
		XML(xmlTextWriterWriteAttribute(w, X("message"), X(reason)));
		if (page != NULL)
			XML(xmlTextWriterWriteFormatString(w, "vendor's page, section \"%s\"", page));
		XML(xmlTextWriterEndElement(w));
	} else {
		XML(xmlTextWriterWriteElement(w, X("system-out"), X(reason)));
	}
	XML(xmlTextWriterEndElement(w));
	return good;
}

static bool
write_suite(xmlTextWriter *w, const struct report *r, const char *phone, double seconds)
{
	size_t failures = 0, i;
	const json_t *step;
	bool good = true;

	json_array_foreach(r->steps, i, step) failures += string_of(step, "verdict") != NULL;
	XML(xmlTextWriterSetIndent(w, 1));
	XML(xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL));
	XML(xmlTextWriterStartElement(w, X("testsuites")));
	XML(xmlTextWriterStartElement(w, X("testsuite")));
	XML(xmlTextWriterWriteAttribute(w, X("name"), X("refphone verify")));
	XML(xmlTextWriterWriteFormatAttribute(w, X("tests"), "%zu", json_array_size(r->steps)));
	XML(xmlTextWriterWriteFormatAttribute(w, X("failures"), "%zu", failures));
	XML(xmlTextWriterWriteAttribute(w, X("errors"), X("0")));
	XML(xmlTextWriterWriteFormatAttribute(w, X("time"), "%.3f", seconds));
	json_array_foreach(r->steps, i, step) good = good && write_step(w, step, phone, i + 1);
	XML(xmlTextWriterEndDocument(w));
	return good;
}

int
junit_write(const struct report *r, const char *name, double seconds, struct buf *out, struct err *e)
{
	xmlBuffer *text = xmlBufferCreate();
	xmlTextWriter *w = text != NULL ? xmlNewTextWriterMemory(text, 0) : NULL;
	bool good = w != NULL && write_suite(w, r, name, seconds);

	xmlFreeTextWriter(w);
	if (good)
		buf_add(out, xmlBufferContent(text), (size_t)xmlBufferLength(text));
	xmlBufferFree(text);
	return good ? buf_check(out, "JUnit report", e) : err_set(e, ERR_FAILED, "JUnit report: no memory");
}
