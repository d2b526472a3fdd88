/* mono.cs: hot methods in several threads at once, generics, delegates, methods
 * made as it runs, references to nothing and divisions by zero that are caught. */
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection.Emit;
using System.Threading;

class Zoo
{
	static int Step(int sum, int i)
	{
		return (int) ((sum * 31L + i) % 1000003);
	}

	static int Strings(int sum)
	{
		var words = new List<string>();

		for (int i = 0; i < 60000; i++) {
			sum = Step(sum, i);
			if (i % 10 == 0)
				words.Add(sum.ToString());
		}
		return Step(sum, String.Join(",", words).Length);
	}

	static int Generics(int sum)
	{
		var groups = Enumerable.Range(0, 5000).GroupBy(i => i % 97)
			.ToDictionary(g => g.Key, g => g.Sum());

		return groups.OrderBy(g => g.Key).Aggregate(sum, (s, g) => Step(s, g.Value));
	}

	static int Length(string text)
	{
		return text.Length;
	}

	static int Faults(int sum)
	{
		for (int i = 0; i < 500; i++)
			try {
				sum = Step(sum, Length(i % 10 == 0 ? null : "text"));
				sum = Step(sum, 100 / (i % 50 - 1));
			} catch (NullReferenceException) {
				sum = Step(sum, 1);
			} catch (DivideByZeroException) {
				sum = Step(sum, 2);
			}
		return sum;
	}

	static int Made(int sum, int k)
	{
		var method = new DynamicMethod("made" + k, typeof(int), new[] { typeof(int) });
		var code = method.GetILGenerator();

		code.Emit(OpCodes.Ldarg_0);
		code.Emit(OpCodes.Ldc_I4, k);
		code.Emit(OpCodes.Add);
		code.Emit(OpCodes.Ldc_I4, 1000003);
		code.Emit(OpCodes.Rem);
		code.Emit(OpCodes.Ret);
		return ((Func<int, int>) method.CreateDelegate(typeof(Func<int, int>)))(sum);
	}

	static int Everything(int sum)
	{
		for (int i = 0; i < 12; i++) {
			sum = Faults(Generics(Strings(sum)));
			for (int k = 0; k < 20; k++)
				sum = Made(sum, k);
		}
		return sum;
	}

	static int Main()
	{
		var sums = new int[3];
		var threads = sums.Select((_, t) => new Thread(() => sums[t] = Everything(t))).ToList();

		threads.ForEach(thread => thread.Start());
		threads.ForEach(thread => thread.Join());
		GC.Collect();
		Console.WriteLine(String.Join(" ", sums));
		return 4;
	}
}
