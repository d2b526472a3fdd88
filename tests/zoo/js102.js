// js102.js: what is in hot.js, WebAssembly, and whether anything runs compiled.
function compiled() {
	for (let i = 0; i < 100000; i++)
		if (inJit() === true || inIon() === true)
			return true;
	return false;
}

print(everything(60));
if (typeof WebAssembly === 'object' && wasmIsSupported()) {
	const module = new WebAssembly.Module(wasmTextToBinary(`(module
		(memory 1)
		(func (export "sum") (param i32) (result i32) (local i32)
			loop
				local.get 1 i32.const 31 i32.mul local.get 0 i32.add
				i32.const 1000003 i32.rem_u local.set 1
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
			end
			local.get 1)
		(func (export "load") (param i32) (result i32)
			local.get 0 i32.load))`));
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
