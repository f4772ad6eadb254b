/* What a Java program asks by native code of its own: any function of the C library
 * or the vDSO, the processor, memory. */
#include "processor.h"
#include <dlfcn.h>
#include <errno.h>
#include <jni.h>
#include <string.h>

typedef long function(long, long, long, long, long, long, long);

/* call returns what the function does, or the negative error. */
JNIEXPORT jlong JNICALL Java_Doors_call(JNIEnv *env, jclass class, jstring name, jlongArray arguments)
{
	const char *text = (*env)->GetStringUTFChars(env, name, NULL);
	int of_vdso = strncmp(text, "__vdso_", 7) == 0;
	void *library = of_vdso ? dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD) : RTLD_DEFAULT;
	function *f = (function *)dlsym(library, text);
	jlong a[7] = {0}, result;

	(void)class;
	(*env)->ReleaseStringUTFChars(env, name, text);
	(*env)->GetLongArrayRegion(env, arguments, 0, (*env)->GetArrayLength(env, arguments), a);
	if (f == NULL)
		return -ENOSYS;
	errno = 0;
	result = f(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
	/* most return an int, and -1 then means an error only if there is one */
	return (int)result == -1 && errno ? -errno : result;
}

JNIEXPORT jlong JNICALL Java_Doors_address(JNIEnv *env, jclass class, jobject buffer)
{
	(void)class;
	return (jlong)(*env)->GetDirectBufferAddress(env, buffer);
}

JNIEXPORT jlong JNICALL Java_Doors_processor(JNIEnv *env, jclass class, jint what)
{
	(void)env;
	(void)class;
	switch (what) {
	case 0:
		return processor_counter();
	case 1:
		return processor_counter_and_number();
	case 2:
		return processor_random();
	default:
		return processor_seed();
	}
}
