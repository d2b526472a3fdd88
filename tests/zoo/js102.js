// js102.js: what is in hot.js, WebAssembly, and whether anything runs compiled.
function compiled() {
	for (let i = 0; i < 100000; i++)
		if (inJit() === true || inIon() === true)
			return true;
	return false;
}

print(everything(60));
if (typeof WebAssembly === 'object' && wasmIsSupported()) {
	// (module
	//	(memory 1)
	//	(func (export "sum") (param i32) (result i32) (local i32)
	//		loop
	//			local.get 1 i32.const 31 i32.mul local.get 0 i32.add
	//			i32.const 1000003 i32.rem_u local.set 1
	//			local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
	//		end
	//		local.get 1)
	//	(func (export "load") (param i32) (result i32)
	//		local.get 0 i32.load))
	const module = new WebAssembly.Module(new Uint8Array([
		0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 3, 2, 0, 0, 5, 3, 1, 0, 1,
		7, 14, 2, 3, 115, 117, 109, 0, 0, 4, 108, 111, 97, 100, 0, 1, 10, 43, 2, 33, 1, 1, 127,
		3, 64, 32, 1, 65, 31, 108, 32, 0, 106, 65, 195, 132, 61, 112, 33, 1, 32, 0, 65, 1, 107,
		34, 0, 13, 0, 11, 32, 1, 11, 7, 0, 32, 0, 40, 2, 0, 11,
	]));
	const { sum, load } = new WebAssembly.Instance(module).exports;
	print(sum(2000000));
	// Out of bounds: a signal that becomes an exception.
	try {
		load(1000000);
	} catch (error) {
		print(error instanceof WebAssembly.RuntimeError);
	}
}
gc();
print('compiled: ' + (compiled() ? 'yes' : 'no'));
