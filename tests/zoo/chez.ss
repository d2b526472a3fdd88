;; chez.ss: functions compiled as it runs, continuations, code that the collector
;; moves, C calling back.
(define (step sum i)
  (modulo (+ (* sum 31) i) 1000003))

(define (strings sum)
  (let loop ([i 0] [sum sum] [words '()])
    (if (= i 60000)
        (step sum (string-length (apply string-append words)))
        (let ([sum (step sum i)])
          (loop (+ i 1) sum
                (if (= 0 (modulo i 10)) (cons (number->string sum) words) words))))))

(define (generators sum)
  (define (numbers n yield)
    (do ([i 0 (+ i 1)]) ((= i n)) (call/cc (lambda (k) (yield i k)))))
  (let loop ([i 0] [sum sum])
    (if (= i 50)
        sum
        (loop (+ i 1)
              (step sum (call/cc (lambda (return)
                                   (numbers 100 (lambda (n k) (if (= n (+ i 10)) (return n) (k n)))))))))))

;; A new procedure each, kept for a while, so that the collector meets code of
;; all ages.
(define kept '())
(define (made sum k)
  (let ([f (eval `(lambda (sum)
                    (let loop ([i 0] [sum sum])
                      (if (fx= i 1000)
                          sum
                          (loop (fx+ i 1) (fxmod (fx+ (fx* sum ,k) i) 1000003))))))])
    (set! kept (if (zero? (modulo k 50)) '() (cons f kept)))
    (fold-left (lambda (sum f) (f sum)) sum kept)))

(define (everything rounds)
  (let loop ([k 2] [sum rounds])
    (if (= k (+ 2 rounds))
        sum
        (begin
          (when (zero? (modulo k 20)) (collect (modulo (quotient k 20) 4)))
          (loop (+ k 1) (made (generators sum) k))))))

(define callback
  (foreign-callable (lambda (a b) (- (foreign-ref 'int a 0) (foreign-ref 'int b 0))) (uptr uptr) int))
(define (sorted)
  (load-shared-object "libc.so.6")
  (lock-object callback)
  (let ([numbers (foreign-alloc 400)]
        [qsort (foreign-procedure "qsort" (uptr size_t size_t uptr) void)])
    (do ([i 0 (+ i 1)]) ((= i 100)) (foreign-set! 'int numbers (* 4 i) (modulo (* i 7919) 101)))
    (qsort numbers 100 4 (foreign-callable-entry-point callback))
    (foreign-ref 'int numbers 200)))

(printf "~a~%" (everything 200))
(printf "~a~%" (let loop ([i 0] [sum 0]) (if (= i 8) sum (loop (+ i 1) (strings sum)))))
(printf "~a~%" (guard (c [#t 'caught]) (car (everything 3))))
(printf "~a~%" (sorted))
