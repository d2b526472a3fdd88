// mozjs.cpp: a shell of SpiderMonkey's library, for a Debian that has none: it evaluates
// files, one after another, in one realm with print() and SpiderMonkey's testing
// functions. --ion-eager compiles all at its first call, --no-threads in no other thread,
// --no-jit-backend nothing; -f goes before a file. See js102.bash.
#include <stdio.h>
#include <string.h>

#include <jsapi.h>
#include <jsfriendapi.h>
#include <js/CompilationAndEvaluation.h>
#include <js/CompileOptions.h>
#include <js/Conversions.h>
#include <js/ErrorReport.h>
#include <js/Exception.h>
#include <js/Initialization.h>
#include <js/PropertyAndElement.h>
#include <js/SourceText.h>

static bool print(JSContext *context, unsigned count, JS::Value *values)
{
	JS::CallArgs args = JS::CallArgsFromVp(count, values);
	JS::RootedString string(context, JS::ToString(context, args.get(0)));
	JS::UniqueChars text;

	if (!string || !(text = JS_EncodeStringToUTF8(context, string)))
		return false;
	puts(text.get());
	args.rval().setUndefined();
	return true;
}

// What SpiderMonkey's own shell does by that name.
static void set(JSContext *context, const char *option)
{
	if (!strcmp(option, "--no-threads"))
		JS_SetOffthreadIonCompilationEnabled(context, false);
	if (!strcmp(option, "--ion-eager")) {
		JS_SetGlobalJitCompilerOption(context, JSJITCOMPILER_BASELINE_WARMUP_TRIGGER, 0);
		JS_SetGlobalJitCompilerOption(context, JSJITCOMPILER_ION_NORMAL_WARMUP_TRIGGER, 0);
	}
}

static bool evaluate(JSContext *context, const char *path)
{
	JS::CompileOptions options(context);
	JS::RootedValue result(context);

	return JS::EvaluateUtf8Path(context, options, path, &result);
}

static void tell_exception(JSContext *context)
{
	JS::ExceptionStack stack(context);
	JS::ErrorReportBuilder report(context);

	if (JS::StealPendingExceptionStack(context, &stack) &&
	    report.init(context, stack, JS::ErrorReportBuilder::WithSideEffects))
		JS::PrintError(stderr, report, false);
}

static bool evaluate_all(JSContext *context, char **arguments)
{
	static const JSClass of_global = {
		"global", JSCLASS_GLOBAL_FLAGS, &JS::DefaultGlobalClassOps, nullptr, nullptr, nullptr
	};
	JS::RealmOptions options;
	JS::RootedObject global(context, JS_NewGlobalObject(context, &of_global, nullptr,
							    JS::FireOnNewGlobalHook, options));

	if (!global)
		return false;
	JSAutoRealm realm(context, global);
	JS::RootedObject testing(context, js::GetTestingFunctions(context));
	if (!testing || !JS_AssignObject(context, global, testing) ||
	    !JS_DefineFunction(context, global, "print", print, 1, 0))
		return false;
	for (; *arguments; arguments++)
		if (**arguments == '-') {
			set(context, *arguments);
		} else if (!evaluate(context, *arguments)) {
			tell_exception(context);
			return false;
		}
	return true;
}

int main(int, char **arguments)
{
	JSContext *context;
	bool well = false;

	// Before there is any runtime, or it is too late.
	for (char **option = arguments; *option; option++)
		if (!strcmp(*option, "--no-jit-backend"))
			JS::DisableJitBackend();
	if (!JS_Init() || !(context = JS_NewContext(JS::DefaultHeapMaxBytes)))
		return 2;
	if (js::UseInternalJobQueues(context) && JS::InitSelfHostedCode(context))
		well = evaluate_all(context, arguments + 1);
	JS_DestroyContext(context);
	JS_ShutDown();
	return well ? 0 : 3;
}
